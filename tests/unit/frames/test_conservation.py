"""The law of framing: events in = framed + dropped by reason, for every representation and windowing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash.data.sample_row import SampleRow
from spikinghash.datasets.recording import Recording
from spikinghash.events import nmnist
from spikinghash.events.source import Source
from spikinghash.events.validate import validate
from spikinghash.frames.clips import cut_file, frame_clips
from spikinghash.frames.framing import Framing
from spikinghash.frames.represent import represent
from spikinghash.ingest.ledger import Ledger

SIDE = 34
event = st.tuples(st.integers(0, 600), st.integers(0, 5), st.integers(0, 5), st.integers(0, 1))
streams = st.lists(event, min_size=1, max_size=60)
KINDS = [("counts", "uint8"), ("counts", "uint16"), ("binary", "uint8"), ("binary", "uint16"), ("voxel", "float32")]


@st.composite
def framings(draw):
    representation, dtype = draw(st.sampled_from(KINDS))
    windowing = draw(st.sampled_from(["recording", "window", "count"]))
    options = {}
    if windowing == "window":
        options = {"window_us": draw(st.integers(1, 300)), "stride_us": draw(st.none() | st.integers(1, 400))}
    if windowing == "count":
        options = {"events_per_clip": draw(st.integers(3, 30))}
    return Framing(
        draw(st.integers(1, 6)), dtype, representation, windowing,
        min_events=draw(st.integers(1, 3)), downsample=draw(st.sampled_from([1, 3, 4])), **options,
    )  # fmt: skip


@st.composite
def intervals(draw):
    """None for the whole file, else up to three intervals, which may overlap."""
    pairs = draw(st.none() | st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600)), min_size=1, max_size=3))
    return None if pairs is None else sorted({(min(pair), max(pair)) for pair in pairs})


def make(rows, sensor=(SIDE, SIDE)):
    columns = np.array(sorted(rows)).T
    return validate(*columns, sensor=sensor, format="test")


def recordings_of(path, parts):
    if parts is None:
        return [Recording("r", path)]
    return [Recording(f"r@{a}-{b}", path, start_us=a, end_us=b, file_id="r") for a, b in parts]


@settings(deadline=None, max_examples=600)
@given(streams, framings(), intervals())
def test_every_event_of_a_file_is_accounted_for(tmp_path_factory, rows, framing, parts):
    events = make(rows)
    path = tmp_path_factory.getbasetemp() / "r.bin"
    source = Source(path, nmnist.to_bytes(events))
    some = recordings_of(path, parts)
    file = cut_file(source, some, framing, (SIDE, SIDE), nmnist.NAME)
    ledger = Ledger()
    held = np.zeros(events.count, dtype=int)
    for clip, frames in frame_clips(file, framing):
        part, row = clip.recording, clip.account
        last = row.end_us if part.end_us is None else min(row.end_us, part.end_us)
        inside = (events.t >= row.start_us) & (events.t <= last)
        assert frames.shape == (framing.steps, 2, *(-(-SIDE // framing.downsample),) * 2)
        assert frames.sum(dtype=np.float64) == pytest.approx(row.events_framed, rel=1e-6)
        assert row.events_in == row.events_framed + sum(row.dropped.values())
        assert row.adds_up
        if framing.windowing != "count":
            assert row.events_in == inside.sum()
        ledger.accept(SampleRow(clip.clip_id, "", (), "train", part.recording_id, clip.sha256, {"events": row}))
    for _, one in file.cuts:
        for window in one.kept:
            held[window.first : window.stop] += 1
    ledger.close_file(len(file.cuts), file.coverage())
    assert len(file.cuts) + len(file.refused) == len(some)
    assert ledger.events_in == ledger.framed + sum(ledger.dropped.values())
    if file.cuts:
        assert ledger.events_in - ledger.repeated == events.count
    assert ledger.repeated == np.maximum(held - 1, 0).sum()
    outside = sum(ledger.dropped[reason] for reason in ("outside-window", "few-events", "partial-window"))
    assert outside == (held == 0).sum()


@settings(deadline=None, max_examples=400)
@given(streams, st.integers(1, 6), st.sampled_from(KINDS), st.integers(1, 5), st.integers(0, 300))
def test_representations_agree_with_an_obvious_loop(rows, steps, kind, cell, start):
    events = make(rows, sensor=(7, 6))
    before = [column.copy() for column in (events.t, events.x, events.y, events.p)]
    end = start + 300
    framing = Framing(steps, kind[1], kind[0], downsample=cell)
    framed = represent(events, framing, start, end)
    expected = np.zeros((steps, 2, -(-6 // cell), -(-7 // cell)))
    inside = 0
    for t, x, y, p in zip(events.t, events.x, events.y, events.p, strict=True):
        if not start <= t <= end:
            continue
        inside += 1
        place = (int(p), y // cell, x // cell)
        if kind[0] == "voxel":
            position = (steps - 1) * (int(t) - start) / (end - start)
            for k in range(steps):
                expected[k][place] += max(0.0, 1 - abs(k - position))
        else:
            expected[(int(t) - start) * steps // (end - start + 1)][place] += 1
    if kind[0] == "binary":
        expected = np.minimum(expected, 1)
    np.testing.assert_allclose(framed.counts, expected, atol=1e-6)
    assert framed.counts.dtype == kind[1]
    assert framed.events_in == events.count == framed.framed + sum(framed.dropped.values())
    assert framed.dropped.get("outside-window", 0) == events.count - inside
    assert set(framed.dropped) <= {"outside-window", "merged" if kind[0] == "binary" else "saturated"}
    after = (events.t, events.x, events.y, events.p)
    assert all((now == then).all() for now, then in zip(after, before, strict=True))


def test_pooling_is_a_sum_that_saturates():
    rng = np.random.default_rng(1)
    events = make(zip(range(5000), rng.integers(0, 9, 5000), rng.integers(0, 8, 5000), [1] * 5000, strict=True), (9, 8))
    fine = represent(events, Framing(2, "uint16")).counts.astype(int)
    padded = np.pad(fine, ((0, 0), (0, 0), (0, 0), (0, 3)))
    pooled = padded.reshape(2, 2, 2, 4, 3, 4).sum(axis=(3, 5))
    np.testing.assert_array_equal(represent(events, Framing(2, "uint16", downsample=4)).counts, pooled)
    small = represent(events, Framing(2, downsample=4))
    np.testing.assert_array_equal(small.counts, np.minimum(pooled, 255))
    assert small.dropped == {"saturated": (pooled - np.minimum(pooled, 255)).sum()}


def test_voxels_at_the_ends_and_in_between():
    events = make([(0, 0, 0, 1), (25, 1, 0, 0), (100, 2, 0, 1)])
    grid = represent(events, Framing(3, "float32", "voxel")).counts
    assert grid[0, 1, 0, 0] == grid[2, 1, 0, 2] == 1
    assert grid[0, 0, 0, 1] == grid[1, 0, 0, 1] == 0.5
    assert represent(make([(7, 0, 0, 0)]), Framing(4, "float32", "voxel")).counts.sum() == 1


def test_a_hot_voxel_keeps_its_weight():
    """Sums in float32 would stop growing at 2^24; sums of thirds would drift."""
    events = make([(0, 0, 0, 0)] + [(1, 1, 1, 1)] * 300_000 + [(3, 0, 0, 0)])
    framed = represent(events, Framing(2, "float32", "voxel"))
    assert framed.counts.sum(dtype=np.float64) == pytest.approx(framed.framed, rel=1e-6)
