"""Cutting and framing in blocks: the clips, accounts and refusals that the whole recording at once gives."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_conservation import SIDE, framings, intervals, make, recordings_of, streams

from spikinghash.errors import BadRecording
from spikinghash.events.collect import in_parts
from spikinghash.events.events import Events
from spikinghash.events.source import Source
from spikinghash.frames import frame_windows, held
from spikinghash.frames.clips import cut_file, frame_clips
from spikinghash.frames.framing import Framing
from spikinghash.frames.represent import represent

SOURCE = Source(Path("r.bin"), b"its events are given")


class Parts:
    """An event stream of blocks of `size` events, which counts its passes."""

    def __init__(self, events, size):
        self.events, self.size, self.passes = events, size, 0

    def __call__(self, source, **_):
        return self

    def blocks(self):
        self.passes += 1
        return in_parts(self.events, self.size)


def clips_of(events, framing, parts, size, keep):
    held.HELD_EVENTS, before = (10**6 if keep else 0), held.HELD_EVENTS
    try:
        some = recordings_of(Path("r.bin"), parts)
        stream = Parts(events, size)
        file = cut_file(SOURCE, some, framing, (SIDE, SIDE), None, decode=stream)
        rows = [
            (replace(clip, account=replace(clip.account, dropped=dict(clip.account.dropped))), frames.tobytes())
            for clip, frames in frame_clips(file, framing)
        ]
        assert stream.passes == 1 or not keep
        refused = [(r.recording_id, str(why)) for r, why in file.refused]
        return rows, refused, file.coverage(), [cut.kept for _, cut in file.cuts]
    except BadRecording as error:
        return str(error)
    finally:
        held.HELD_EVENTS = before


@settings(deadline=None, max_examples=400)
@given(streams, framings(), intervals(), st.integers(1, 20), st.booleans())
def test_blocks_of_any_size_give_the_clips_of_the_whole(rows, framing, parts, size, keep):
    events = make(rows)
    whole = clips_of(events, framing, parts, events.count, True)
    assert clips_of(events, framing, parts, size, keep) == whole


@settings(deadline=None, max_examples=200)
@given(streams, framings(), intervals(), st.integers(1, 20))
def test_the_frames_are_those_of_the_events_of_each_window(rows, framing, parts, size):
    """Against slices of all events, the way that needs all of them in memory."""
    events = make(rows)
    found = clips_of(events, framing, parts, size, keep=False)
    for (clip, frames), window in zip(found[0], [w for kept in found[3] for w in kept], strict=True):
        inside = slice(window.first, window.stop)
        columns = (events.t[inside], events.x[inside], events.y[inside], events.p[inside])
        part = Events(*columns, width=SIDE, height=SIDE, format="test")
        framed = represent(part, framing, window.start_us, window.end_us)
        assert framed.counts.tobytes() == frames
        row = clip.account
        assert (row.events_in, row.events_framed, row.dropped) == (framed.events_in, framed.framed, framed.dropped)


def test_one_pass_frames_intervals_that_follow_each_other_and_windows_that_overlap():
    events = make([(t, 1, 1, 1) for t in range(100)])
    framing = Framing(2, windowing="window", window_us=20, stride_us=5)
    some = recordings_of(Path("r.bin"), [(0, 40), (41, 99)])
    held.HELD_EVENTS, before = 0, held.HELD_EVENTS
    try:
        stream = Parts(events, 7)
        file = cut_file(SOURCE, some, framing, (SIDE, SIDE), None, decode=stream)
        clips = list(frame_clips(file, framing))
    finally:
        held.HELD_EVENTS = before
    assert len(clips) == 5 + 8
    assert stream.passes == 2


def test_another_recording_in_the_second_pass_is_refused(monkeypatch):
    monkeypatch.setattr(held, "HELD_EVENTS", 0)
    stream = Parts(make([(t, 1, 1, 1) for t in range(100)]), 7)
    file = cut_file(SOURCE, recordings_of(Path("r"), None), Framing(2), (SIDE, SIDE), None, decode=stream)
    stream.events = make([(t, 1, 1, 1) for t in range(101)])
    with pytest.raises(BadRecording, match="changed"):
        list(frame_clips(file, Framing(2)))


def test_windows_that_overlap_beyond_the_memory_are_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(held, "HELD_EVENTS", 0)
    monkeypatch.setattr(frame_windows, "reading_bytes", lambda: 100_000)
    stream = Parts(make([(t, 1, 1, 1) for t in range(100)]), 7)
    framing = Framing(2, windowing="window", window_us=50, stride_us=1)
    file = cut_file(SOURCE, recordings_of(Path("r"), None), framing, (SIDE, SIDE), None, decode=stream)
    with pytest.raises(BadRecording, match="overlap"):
        list(frame_clips(file, framing))


def test_an_hour_in_one_clip_is_never_there_at_once(monkeypatch):
    """`recording` frames what passes by; its memory is that of its frames."""
    import tracemalloc

    monkeypatch.setattr(held, "HELD_EVENTS", 10_000)
    t = np.arange(20_000) * 50

    class Long:
        def __call__(self, source, **_):
            return self

        def blocks(self):
            facts = None
            for turn in range(100):
                zeros = np.zeros(t.size, np.uint16)
                block = Events(t + turn * 1_000_000, zeros, zeros, zeros.astype(np.uint8), SIDE, SIDE, "test")
                yield block
                first = facts.t_first_us if facts else 0
                facts = replace(block.facts, count=t.size * (turn + 1), t_first_us=first)
            return facts

    framing = Framing(4, dtype="uint16")
    tracemalloc.start()
    file = cut_file(SOURCE, recordings_of(Path("r"), None), framing, (SIDE, SIDE), None, decode=Long())
    ((clip, _),) = frame_clips(file, framing)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert clip.account.events_in == 2_000_000
    assert peak < 2_000_000 * 13 / 5
