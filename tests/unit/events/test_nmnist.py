import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash.errors import BadRecording
from spikinghash.events import nmnist
from spikinghash.events.options import ReadOptions
from spikinghash.events.reader import read_recording
from spikinghash.events.validate import validate

DATA = Path(__file__).parents[3] / "../shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no shared data here")
needs_formats = pytest.mark.skipif(not (DATA / "formats").is_dir(), reason="no shared data here")


def record(x, y, p, t):
    return bytes([x, y, (p << 7) | (t >> 16), (t >> 8) & 255, t & 255])


def oracle(data):
    """One record after the other, as the format's description reads."""
    rows, shift = [], 0
    for i in range(0, len(data), 5):
        x, y, high, middle, low = data[i : i + 5]
        if y == 240:
            shift += 2**13
        else:
            rows.append((((high & 127) << 16) + (middle << 8) + low + shift, x, y, high >> 7))
    return rows


def as_rows(events):
    return list(zip(*(column.tolist() for column in (events.t, events.x, events.y, events.p)), strict=True))


def test_literal_record():
    events = nmnist.read(bytes([3, 5, 0x81, 0x02, 0x03]))
    assert as_rows(events) == [(0x010203, 3, 5, 1)]
    assert (events.width, events.height) == (34, 34)


def test_overflow_record_adds_8192_us_from_there_on():
    data = record(1, 1, 0, 100) + record(0, 240, 0, 0) + record(2, 2, 1, 50) + record(0, 240, 0, 0) + record(3, 3, 1, 7)
    events = nmnist.read(data)
    assert as_rows(events) == oracle(data) == [(100, 1, 1, 0), (8242, 2, 2, 1), (16391, 3, 3, 1)]


def test_offsets_count_overflow_records():
    data = record(0, 240, 0, 0) + record(1, 1, 0, 9_000) + record(1, 1, 0, 10)
    with pytest.raises(BadRecording) as caught:
        nmnist.read(data)
    assert (caught.value.reason, caught.value.offset) == ("time-order", 10)


@pytest.mark.parametrize(
    ("data", "reason", "offset"),
    [
        (b"", "empty", 0),
        (b"\x01", "truncated", 0),
        (record(1, 1, 1, 1) * 3 + b"\x01\x02", "truncated", 15),
        (record(0, 240, 0, 0), "no-events", None),
    ],
)
def test_refusals(data, reason, offset):
    with pytest.raises(BadRecording) as caught:
        nmnist.read(data)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


def test_sensor_is_34_if_all_but_a_few_fit_else_the_smallest_that_holds_all():
    inside = [record(33, 33, 0, i) for i in range(2000)]
    assert nmnist.read(b"".join(inside)).width == 34
    one_wild = nmnist.read(b"".join([*inside, record(200, 1, 0, 2000)]))
    assert (one_wild.width, one_wild.height, one_wild.dropped) == (34, 34, {"coordinate": 1})
    large = nmnist.read(b"".join([*inside, *[record(200, 239, 0, 2000)] * 30]))
    assert (large.width, large.height, large.dropped) == (201, 240, {})


def test_given_sensor_wins():
    with pytest.raises(BadRecording, match="coordinate"):
        nmnist.read(record(33, 33, 0, 1), ReadOptions(sensor=(20, 20)))
    assert nmnist.read(record(33, 33, 0, 1), ReadOptions(sensor=(240, 180))).width == 240


@pytest.mark.parametrize(("x", "y", "t"), [(256, 0, 0), (0, 240, 0), (0, 0, 2**23)])
def test_writer_refuses_what_the_format_cannot_hold(x, y, t):
    column = [np.array([value]) for value in (t, x, y, 0)]
    with pytest.raises(ValueError, match="N-MNIST"):
        nmnist.to_bytes(validate(*column, sensor=(512, 512), format="test"))


rows = st.lists(st.tuples(st.integers(0, 2**23 - 1), st.integers(0, 255), st.integers(0, 239), st.integers(0, 1)))


@settings(deadline=None)
@given(rows.filter(bool))
def test_write_then_read_is_identity(some):
    columns = np.array(sorted(some)).T
    events = validate(*columns, sensor=(256, 240), format=nmnist.NAME)
    again = nmnist.read(nmnist.to_bytes(events), ReadOptions(sensor=(256, 240)))
    assert as_rows(again) == as_rows(events) == [tuple(row) for row in columns.T.tolist()]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_reads_what_the_oracle_reads(data):
    data = data[: len(data) // 5 * 5]
    try:
        events = nmnist.read(data, ReadOptions(sensor=(256, 256)))
    except BadRecording:
        return
    expected = oracle(data)
    assert as_rows(events) == sorted(expected, key=lambda row: row[0])


@needs_formats
def test_golden_values():
    with (DATA / "formats/golden.csv").open(newline="") as file:
        golden = [row for row in csv.DictReader(file) if row["file"].startswith("bin/")]
    assert len(golden) == 3
    for row in golden:
        summary = read_recording(DATA / "formats" / row["file"]).summary()
        for key in ("events", "t_first_us", "t_last_us", "on", "off", "sum_x", "sum_y"):
            assert summary[key] == int(row[key]), (row["file"], key)


@needs_data
@pytest.mark.parametrize("name", ["nmnist_small", "dvsgesture_clips"])
def test_real_recordings_match_their_table(name):
    with (DATA / "events" / name / "labels.csv").open(newline="") as file:
        table = list(csv.DictReader(file))[::50]
    for row in table:
        sensor = (int(row["width"]), int(row["height"]))
        summary = read_recording(DATA / "events" / name / row["file"], sensor=sensor).summary()
        for key in ("width", "height", "events", "t_first_us", "t_last_us", "on", "off"):
            assert summary[key] == int(row[key]), (row["file"], key)


@needs_data
def test_agrees_with_tonic():
    tonic_io = pytest.importorskip("tonic.io")
    dtype = np.dtype([("x", int), ("y", int), ("t", int), ("p", int)])
    paths = sorted((DATA / "events/nmnist_small/bs2").glob("*.bs2"))[::100]
    for path in [*paths, *(DATA / "formats/bin").glob("*.bin")]:
        theirs = tonic_io.read_mnist_file(str(path), dtype=dtype)
        ours = read_recording(path)
        for name in "txyp":
            np.testing.assert_array_equal(getattr(ours, name), theirs[name])


@needs_data
def test_real_file_survives_a_round_trip(tmp_path):
    path = next((DATA / "events/nmnist_small/bs2").glob("*.bs2"))
    nmnist.write(tmp_path / "again", read_recording(path))
    assert (tmp_path / "again").read_bytes() == path.read_bytes()
