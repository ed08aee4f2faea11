import os
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.reader import read_recording

DATA = Path(__file__).parents[3] / "../shared/data"


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
        (b"#!AER-DAT2.0\r\n# rest", "AEDAT 1 or 2"),
        (b"#!AER-DAT3.1\r\n", "AEDAT 3"),
        (b"#!AER-DAT4.0\r\n" + bytes(range(200)), "AEDAT 4"),
        (b"% evt 3.0\n" + bytes(100), "EVT"),
        (b"% date 2020-01-01\n% evt 2.0\n" + bytes(100), "EVT"),
        (b"% Data file\n% Version 2\n\x0c\x08" + bytes(80), "DAT"),
        (b"Event Stream\x02\x00\x00" + bytes(90), "Event Stream"),
        (b"\x89HDF\r\n\x1a\n" + bytes(92), "HDF5"),
        (b"\x93NUMPY\x01\x00v\x00" + bytes(90), "NumPy"),
        (b"MATLAB 5.0 MAT-file" + bytes(81), "MATLAB"),
        (b"\x89PNG\r\n\x1a\n" + bytes(92), "PNG"),
        (b"%PDF-1.7\n" + bytes(91), "PDF"),
        (b"t,x,y,p\n1,2,3,1\n", "text"),
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


def test_headerless_dat_is_named(tmp_path):
    words = np.array([[i * 7, i % 30] for i in range(1000)], dtype="<u4")
    assert "ATIS" in refusal(written(tmp_path, words.tobytes())).message


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


@pytest.mark.skipif(not (DATA / "formats").is_dir(), reason="no shared data here")
def test_real_files_of_other_formats_are_named():
    folders = {"aedat2": "AEDAT", "aedat3.1": "AEDAT 3", "aedat4": "AEDAT 4", "evt2": "EVT", "evt3": "EVT"}
    folders |= {"dat": "DAT", "es": "Event Stream", "npz": "N", "mat": "MATLAB", "h5": "HDF5", "csv": "text"}
    for folder, named in folders.items():
        for path in sorted((DATA / "formats" / folder).iterdir()):
            error = refusal(path)
            assert error.reason == "unknown-format"
            assert named in error.message or "zip" in error.message or "ATIS" in error.message
