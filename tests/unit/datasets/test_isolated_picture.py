"""Pictures are decoded in a child: the same pixels, and what takes long or grows is one refusal."""

import io
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from spikinghash.datasets import image_parquet
from spikinghash.datasets.image_bytes import decode_image
from spikinghash.datasets.isolated_picture import decode_isolated
from spikinghash.datasets.picture_file import ONE_PICTURE
from spikinghash.datasets.recording import Recording
from spikinghash.errors import BadRecording
from spikinghash.events.source import Source


def encoded(size=(40, 30), kind="PNG", **options):
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def many_scans(times):
    """A progressive JPEG whose last scan stands there again and again."""
    data = encoded((2000, 2000), "JPEG", progressive=True, quality=5)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * times + data[-2:]


def refusal(data):
    with pytest.raises(BadRecording) as caught:
        decode_isolated(data)
    return caught.value.reason


@pytest.mark.parametrize("size", [None, (16, 20)])
def test_the_same_pixels_as_without_a_child(size):
    for data in (encoded(), encoded(kind="JPEG")):
        assert np.array_equal(decode_isolated(data, size), decode_image(data, size))


def test_refusals_are_the_same():
    assert refusal(encoded()[:-900]) == "truncated"
    assert refusal(b"GIF89a") == "unknown-format"
    assert refusal(b"") == "empty"


def test_a_picture_of_very_many_scans_is_refused_at_once():
    data = many_scans(400)
    started = time.monotonic()
    assert refusal(data) == "expansion"
    assert time.monotonic() - started < 5


def test_every_layout_decodes_in_the_child():
    assert ONE_PICTURE.decode is image_parquet.FILE.decode is decode_isolated


def test_no_child_outlives_the_program():
    program = (
        "import io; from PIL import Image; from spikinghash.datasets import isolated_picture as m; import os\n"
        "out = io.BytesIO(); Image.new('RGB', (4, 4)).save(out, 'PNG'); m.decode_isolated(out.getvalue())\n"
        "print(m._child(os.getpid()).process.pid)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert not done.stderr
    assert not psutil.pid_exists(int(done.stdout))


def parquet(path, pictures, **options):
    rows = [{"image": {"bytes": picture, "path": None}, "label": 0} for picture in pictures]
    pq.write_table(pa.Table.from_pylist(rows), path, compression="zstd", **options)
    return path


def test_one_picture_in_many_rows_of_a_parquet_file_is_held_a_few_times(tmp_path):
    """33 KB that held 256 times 17 MB took 4.4 GB."""
    path = parquet(tmp_path / "train.parquet", [bytes(16 << 20)] * 64)
    assert path.stat().st_size < 100_000
    before = psutil.Process().memory_info().rss
    most = 0
    recordings = [Recording(str(i), path) for i in range(64)]
    for _, content in image_parquet.FILE.contents(Source(Path("a"), path.read_bytes()), recordings):
        assert len(content) == 16 << 20
        most = max(most, psutil.Process().memory_info().rss - before)
    assert most < 400 << 20


def test_a_row_group_that_unpacks_too_far_is_refused(tmp_path):
    path = parquet(tmp_path / "train.parquet", [bytes([i]) * (16 << 20) for i in range(8)], use_dictionary=False)
    with pytest.raises(BadRecording) as caught:
        list(
            image_parquet.FILE.contents(
                Source(Path("a"), path.read_bytes()), [Recording(str(i), path) for i in range(8)]
            )
        )
    assert caught.value.reason == "expansion"
