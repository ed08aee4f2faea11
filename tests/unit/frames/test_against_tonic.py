"""Equal to tonic's ToFrame where tonic is right, and right on each input of specs/anchors.md 1.2 where it is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash.errors import BadRecording
from spikinghash.events.columns import pick_columns
from spikinghash.events.validate import validate
from spikinghash.frames.accumulate import accumulate
from spikinghash.frames.cut import cut
from spikinghash.frames.framing import Framing

to_frame = pytest.importorskip("tonic.functional").to_frame_numpy
W, H = 6, 5
TABLE = [("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", bool)]


def both(t, x, y, p, sensor=(W, H)):
    table = np.empty(len(t), dtype=TABLE)
    for name, column in zip("xytp", (x, y, t, p), strict=True):
        table[name] = column
    return validate(np.array(t), np.array(x), np.array(y), np.array(p), sensor=sensor, format="test"), table


@settings(deadline=None, max_examples=200)
@given(st.data(), st.integers(1, 8), st.integers(2, 50))
def test_equal_bin_for_bin(data, steps, bin_us):
    """On bins of 2 us and more, given as `time_window` with the last one included; of 1 us, tonic loses the last."""
    last = steps * bin_us - 1
    event = st.tuples(st.integers(0, last), st.integers(0, W - 1), st.integers(0, H - 1), st.integers(0, 1))
    rows = sorted([(0, 0, 0, 0), (last, 0, 0, 1), *data.draw(st.lists(event, max_size=60))])
    events, table = both(*np.array(rows).T)
    theirs = to_frame(table, (W, H, 2), time_window=bin_us, include_incomplete=True)
    np.testing.assert_array_equal(accumulate(events, steps).counts, theirs)


def test_40000_events_on_one_pixel():
    events, _ = both(np.arange(40_000), *(np.ones(40_000, dtype=int),) * 3)
    assert accumulate(events, 1, dtype="uint16").counts[0, 1, 1, 1] == 40_000
    small = accumulate(events, 1)
    assert small.counts.max() == 255
    assert small.dropped == {"saturated": 40_000 - 255}


@pytest.mark.parametrize("x", [-1, 9])
def test_events_off_the_sensor(x):
    columns = np.arange(2000), np.ones(2000, dtype=int), np.ones(2000, dtype=int), np.ones(2000, dtype=int)
    columns[1][7] = x
    events = validate(*columns, sensor=(4, 4), format="test")
    assert events.dropped == {"coordinate": 1}
    framed = accumulate(events, 3, dtype="uint16")
    assert framed.counts.sum() == 1999
    assert framed.counts[:, :, :, 3].sum() == 0
    with pytest.raises(BadRecording, match="coordinate"):
        validate(*(column[:10] for column in columns), sensor=(4, 4), format="test")


def test_1000_unsorted_times():
    rng = np.random.default_rng(0)
    ones = np.ones(1000, dtype=int)
    with pytest.raises(BadRecording, match="time-order"):
        validate(rng.permutation(1000), ones, ones, ones, sensor=(W, H), format="test")
    t = np.arange(1000)
    t[[10, 11]] = t[[11, 10]]
    assert (
        accumulate(validate(t, ones, ones, ones, sensor=(W, H), format="test"), 5, dtype="uint16").counts.sum() == 1000
    )


def test_1000_sorted_events_in_3_bins_and_in_windows():
    events, table = both(np.arange(1000), *(np.ones(1000, dtype=int),) * 3)
    assert to_frame(table, (W, H, 2), n_time_bins=3).sum() == 999
    assert accumulate(events, 3, dtype="uint16").counts.sum() == 1000
    windows = cut(events, Framing(1, windowing="window", window_us=100), 0, 999).kept
    assert [window.events for window in windows] == [100] * 10


def test_a_single_event_in_1_bin():
    events, _ = both([5], [1], [1], [1])
    assert accumulate(events, 1).counts.sum() == 1


def test_one_polarity_leaves_the_callers_array_alone():
    p = np.ones(10, dtype=int)
    events = validate(np.arange(10), p * 0, p * 0, p, sensor=(W, H), format="test")
    assert accumulate(events, 2).counts[:, 1].sum() == 10
    assert p.tolist() == [1] * 10


def test_all_columns_are_needed():
    assert pick_columns({"p": 0}) is None
    assert pick_columns({"t": 0, "x": 0, "y": 0}) is None
    assert pick_columns({"t": 0, "x": 1, "y": 2, "p": 3}) == {"t": 0, "x": 1, "y": 2, "p": 3}
