import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.reader import read_recording


def records(count, step=100):
    return b"".join(
        bytes([i % 34, i % 30, ((i % 2) << 7) | (i * step >> 16), (i * step >> 8) & 255, i * step & 255])
        for i in range(1, count + 1)
    )


def refusal(path, **options):
    with pytest.raises(BadRecording) as caught:
        read_recording(path, **options)
    return caught.value


def written(tmp_path, data, name="file.bin"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_name_does_not_matter(tmp_path):
    assert read_recording(written(tmp_path, records(50), "photo.png")).count == 50


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"#!AER-DAT1.0\r\n# rest", "AEDAT of another version"),
        (b"% evt 4.0\n" + bytes(100), "RAW of another encoding"),
        (b"% date 2020-01-01\n% format HISTO3D\n% evt 9\n" + bytes(100), "RAW of another encoding"),
        (b"MATLAB 6.0 MAT-file" + bytes(81), "MATLAB"),
        (b"#ROSBAG V2.0\n" + bytes(90), "ROS bag"),
        (b"PAR1" + bytes(90), "Parquet"),
        (b"\x89PNG\r\n\x1a\n" + bytes(92), "PNG"),
        (b"%PDF-1.7\n" + bytes(91), "PDF"),
        (b"1,2,3,1\n5,2,3,1\n", "text"),
        ("Zürich ist schön, immer. ".encode() * 3000, "text"),
        (bytes(100), "no known"),
        (bytes([9, 240, 0, 0, 1]) * 4, "no known"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else value,
)
def test_other_content_is_named(tmp_path, data, named):
    error = refusal(written(tmp_path, data))
    assert error.reason == "unknown-format"
    assert named in error.message


def test_zip_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.bin", "w") as archive:
        archive.writestr("b.bin", records(10))
    assert "zip" in refusal(tmp_path / "a.bin").message


def test_random_bytes_are_unknown(tmp_path):
    for seed in range(20):
        data = random.Random(seed).randbytes(1000 + seed)
        assert refusal(written(tmp_path, data)).reason == "unknown-format"


def test_a_cut_file_is_truncated_at_its_incomplete_record(tmp_path):
    whole = records(60)
    for cut in range(1, len(whole)):
        path = written(tmp_path, whole[:cut])
        if cut % 5:
            error = refusal(path)
            assert (error.reason, error.offset) == ("truncated", cut // 5 * 5), cut
        else:
            assert read_recording(path).count == cut // 5


def test_shuffled_digit_is_refused_for_its_order(tmp_path):
    whole = records(100)
    pieces = [whole[i : i + 5] for i in range(0, len(whole), 5)]
    random.Random(0).shuffle(pieces)
    assert refusal(written(tmp_path, b"".join(pieces))).reason == "time-order"


def test_empty(tmp_path):
    for options in ({}, {"format": "nmnist"}):
        assert refusal(written(tmp_path, b""), **options).reason == "empty"


def test_format_can_be_forced(tmp_path):
    path = written(tmp_path, bytes(100))
    assert read_recording(path, format="nmnist").count == 20
    with pytest.raises(ConfigError, match="nmnist"):
        read_recording(path, format="avi")


def test_only_regular_files(tmp_path):
    target = written(tmp_path, records(5))
    (tmp_path / "link").symlink_to(target)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "link", tmp_path / "pipe", tmp_path):
        assert refusal(path).reason == "not-regular"


def test_unreadable(tmp_path):
    for name in ("missing", "n" * 300, "nul\0"):
        assert refusal(tmp_path / name).reason == "unreadable"


def test_size_limit(tmp_path):
    path = written(tmp_path, records(5))
    assert refusal(path, max_bytes=24).reason == "expansion"
    assert read_recording(path, max_bytes=25).count == 5


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_no_file_handles_are_left_open(tmp_path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in (tmp_path, written(tmp_path, bytes(30))):
        refusal(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_importing_the_reader_is_light():
    heavy = ("numba", "scipy", "h5py", "pyarrow", "torch", "aedat")
    program = f"import sys, spikinghash.events.reader; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_named_format_is_not_guessed(tmp_path):
    path = written(tmp_path, b"% evt 3.0\n% geometry 34x34\n" + bytes([1, 0x80, 0, 0x60, 1, 0, 5, 0x20]))
    assert read_recording(path).format == "evt3"
    assert refusal(path, format="aedat4").reason in {"truncated", "count"}
