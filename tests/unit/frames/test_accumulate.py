import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash.events.events import Events
from spikinghash.events.validate import validate
from spikinghash.frames.accumulate import accumulate
from spikinghash.frames.edges import bin_edges

W, H = 4, 3
event = st.tuples(st.integers(0, 400), st.integers(0, W - 1), st.integers(0, H - 1), st.integers(0, 1))
streams = st.lists(event, min_size=1, max_size=80)
windows = st.none() | st.tuples(st.integers(0, 300), st.integers(0, 300)).map(lambda w: (min(w), max(w)))


def make(rows, shift=0):
    columns = np.array(sorted(rows)).T
    return validate(columns[0] + shift, *columns[1:], sensor=(W, H), format="test")


def oracle(events, steps, start, end, most):
    """One event after the other, placed by looking through the edges."""
    counts = np.zeros((steps, 2, events.height, events.width), dtype=np.int64)
    dropped = {"outside-window": 0, "saturated": 0}
    edges = bin_edges(start, end, steps)
    for t, x, y, p in zip(events.t, events.x, events.y, events.p, strict=True):
        if not start <= t <= end:
            dropped["outside-window"] += 1
            continue
        (k,) = [k for k in range(steps) if edges[k] <= t < edges[k + 1]]
        if counts[k, p, y, x] == most:
            dropped["saturated"] += 1
        else:
            counts[k, p, y, x] += 1
    return counts, {reason: count for reason, count in dropped.items() if count}


@settings(deadline=None)
@given(streams, st.integers(1, 12), windows, st.sampled_from(["uint8", "uint16"]), st.sampled_from([0, 2**40]))
def test_agrees_with_the_oracle_and_conserves(rows, steps, window, dtype, shift):
    events = make(rows, shift)
    start, end = (events.t_first_us, events.t_last_us) if window is None else (window[0] + shift, window[1] + shift)
    before = [column.copy() for column in (events.t, events.x, events.y, events.p)]
    framed = accumulate(events, steps, dtype=dtype, start_us=start, end_us=end)
    counts, dropped = oracle(events, steps, start, end, np.iinfo(dtype).max)
    assert framed.counts.dtype == dtype
    np.testing.assert_array_equal(framed.counts, counts)
    assert framed.dropped == dropped
    assert framed.framed == framed.counts.sum()
    assert events.count == framed.events_in == framed.counts.sum() + sum(framed.dropped.values())
    after = (events.t, events.x, events.y, events.p)
    assert all((now == then).all() for now, then in zip(after, before, strict=True))


@settings(deadline=None)
@given(streams, st.integers(1, 9))
def test_without_a_window_nothing_is_left_out(rows, steps):
    events = make(rows)
    framed = accumulate(events, steps)
    assert framed.dropped == {}
    assert framed.counts[0].any()
    assert framed.counts[-1].any() or events.t_last_us - events.t_first_us + 1 < steps


@settings(deadline=None)
@given(streams, streams, st.integers(1, 5))
def test_frames_of_a_concatenation_are_concatenated_frames(first, second, steps):
    """On bin borders: two windows of equal length, one after the other."""
    both = make(first + [(t + 401, x, y, p) for t, x, y, p in second])
    whole = accumulate(both, 2 * steps, start_us=0, end_us=401 * 2 * steps - 1).counts
    halves = [
        accumulate(both, steps, start_us=start, end_us=start + 401 * steps - 1).counts for start in (0, 401 * steps)
    ]
    np.testing.assert_array_equal(whole, np.concatenate(halves))


@pytest.mark.parametrize(("dtype", "most"), [("uint8", 255), ("uint16", 65_535)])
def test_counts_saturate_and_never_wrap(dtype, most):
    events = make([(0, 1, 2, 1)] * (most + 10))
    framed = accumulate(events, 1, dtype=dtype)
    assert framed.counts[0, 1, 2, 1] == framed.counts.sum() == framed.framed == most
    assert framed.dropped == {"saturated": 10}


def test_saturation_agrees_with_the_oracle():
    rng = np.random.default_rng(0)
    rows = zip(rng.integers(0, 400, 2500), rng.integers(0, 2, 2500), rng.integers(0, 2, 2500), [1] * 2500, strict=True)
    events = make(list(rows))
    framed = accumulate(events, 2)
    counts, dropped = oracle(events, 2, events.t_first_us, events.t_last_us, 255)
    np.testing.assert_array_equal(framed.counts, counts)
    assert framed.dropped == dropped
    assert dropped["saturated"] > 100


def test_a_single_event_is_counted():
    assert accumulate(make([(7, 0, 0, 0)]), 5).counts.sum() == 1


def test_writable_and_frozen_columns_give_the_same():
    events = make([(0, 1, 1, 0), (9, 2, 2, 1)])
    columns = (events.t.copy(), events.x.copy(), events.y.copy(), events.p.copy())
    loose = Events(*columns, width=W, height=H, format="test")
    np.testing.assert_array_equal(accumulate(events, 3).counts, accumulate(loose, 3).counts)
    assert loose.t.flags.writeable


@settings(deadline=None)
@given(st.integers(0, 2**50), st.integers(0, 10**6), st.integers(1, 40))
def test_edges(start, length, steps):
    edges = bin_edges(start, start + length, steps)
    assert (edges[0], edges[-1]) == (start, start + length + 1)
    widths = np.diff(edges)
    assert widths.min() >= 0
    assert widths.max() - widths.min() <= 1


@pytest.mark.parametrize(("start", "end", "steps"), [(5, 4, 2), (0, 9, 0)])
def test_impossible_windows(start, end, steps):
    with pytest.raises(ValueError, match="cannot cut"):
        accumulate(make([(0, 0, 0, 0)]), steps, start_us=start, end_us=end)
