"""What every reader promises about blocks: whatever their size, they are the recording, or its refusal.

The whole file read at once is the reference; what that is right about stands in `test_readers` and the golden values.
"""

import random
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_readers import SAMPLES, STATED, every_format

from spikinghash.errors import BadRecording
from spikinghash.events.collect import Pass, collect
from spikinghash.events.content import FileContent
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.events.options import ReadOptions
from spikinghash.events.reader import FORMATS, stream
from spikinghash.events.source import Source, open_source

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/events"))
from event_writers import WRITERS

#: Formats in which hours are recorded, and of which no file lies in memory whole.
IN_PARTS = {"evt2", "evt21", "evt3", "dat", "atis-dat", "aedat4"}
TURNED = ReadOptions(flip_x=True, flip_y=True, transpose=True, invert_polarity=True)
#: Of them those whose events may stand out of order, with a sensor that the file does not state.
UNORDERED = {"evt2": {"header": b"% evt 2.0\n% geometry 40x40\n"}, "dat": {"header": b"% Data file\n% Version 2\n"}}


def outcome(data, name, block_bytes, **options):
    """Everything a recording is, or why it is refused."""
    try:
        blocks = Pass(stream(Source(Path("s"), bytes(data)), format=name, block_bytes=block_bytes, **options).blocks())
        parts = list(blocks)
    except BadRecording as error:
        return error.reason, error.message, error.offset
    facts = blocks.facts
    assert all(part.count and not part.t.flags.writeable for part in parts)
    assert {(part.width, part.height, part.format) for part in parts} == {(facts.width, facts.height, facts.format)}
    columns = [np.concatenate([getattr(part, column) for part in parts]) for column in "txyp"]
    assert facts.count == len(columns[0])
    assert (facts.t_first_us, facts.t_last_us) == (columns[0][0], columns[0][-1])
    return [(column.dtype.str, column.tobytes()) for column in columns], replace(facts, dropped=dict(facts.dropped))


def agree(data, name, sizes, **options):
    whole = outcome(data, name, max(len(data), 1), **options)
    for size in sizes:
        assert outcome(data, name, size, **options) == whole
    return whole


def test_the_formats_of_long_recordings_are_read_in_parts():
    assert {one.name for one in FORMATS if one.stream is not None} == IN_PARTS


@every_format
def test_blocks_of_any_size_are_the_recording(name):
    sensor = STATED.get(name, (34, 34))
    for options in (ReadOptions(), TURNED):
        _, facts = agree(
            SAMPLES[name], name, (1, 2, 7, 64, 999, 10**6), options=options,
            sensor=sensor if options is not TURNED else sensor[::-1],
        )  # fmt: skip
        assert facts.count == 400
    agree(SAMPLES[name], name, (1, 100))


@pytest.mark.parametrize("name", sorted(IN_PARTS))
def test_a_long_recording_comes_in_many_blocks(name):
    parts = list(stream(Source(Path("s"), SAMPLES[name]), format=name, block_bytes=64).blocks())
    assert len(parts) >= (3 if name == "aedat4" else 20)


@every_format
def test_damage_is_refused_alike(name):
    rng, data = random.Random(1), SAMPLES[name]
    for _ in range(60):
        bad = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        agree(bad[: rng.choice([len(bad), rng.randrange(1, len(bad))])], name, (rng.randrange(1, 40), 300))


@pytest.mark.parametrize("name", sorted(UNORDERED))
@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), late=st.integers(0, 1300), steps=st.integers(0, 14), strays=st.integers(0, 2))
def test_late_events_and_strays_are_mended_or_refused_alike(name, seed, late, steps, strays):
    """Rules are shares of the whole recording, and an order is that of all its events."""
    rng = np.random.default_rng(seed)
    count = 1_500
    t = np.sort(rng.integers(2_000, 40_000, count))
    where = rng.choice(count, steps, replace=False)
    t[where] -= rng.integers(0, late + 1, steps)
    x, y, p = rng.integers(0, 34, count), rng.integers(0, 34, count), rng.integers(0, 2, count)
    x[rng.choice(count, strays, replace=False)] = 39
    sensor = (34, 34) if name == "dat" else None
    data = WRITERS[name](t, x, y, p, **UNORDERED[name])
    whole = agree(data, name, (1, 13, 800, 4_000), sensor=sensor)
    agree(data, name, (17, 5_000))
    if isinstance(whole[0], list):
        order = np.argsort(t, kind="stable")
        kept = order[x[order] < (whole[1].width)]
        assert whole[0][0][1] == t[kept].tobytes()
        assert whole[0][1][1] == x[kept].astype(np.uint16).tobytes()


@pytest.mark.parametrize("name", ["evt2", "evt21", "evt3", "dat"])
def test_clocks_that_run_over_between_blocks(name):
    """EVT adds the turns up, DAT refuses one; the clock's state goes from one block to the next."""
    t = np.arange(60) * 400_000
    turn = {"evt2": 2**34, "evt21": 2**34, "evt3": 2**24, "dat": 2**32}[name]
    x = np.arange(60) % 34
    early = t + turn - 10 * 400_000
    data = WRITERS[name](early % turn if name == "dat" else early, x, x, x % 2)
    found = agree(data, name, (1, 2, 3, 10, 50))
    assert (found[0] == "time-wrap") if name == "dat" else found[1].t_last_us - found[1].t_first_us == t[-1]


def test_a_file_on_disk_is_read_in_pieces_and_watched(tmp_path, monkeypatch):
    monkeypatch.setattr("spikinghash.events.source.HELD_BYTES", 0)
    path = tmp_path / "a.raw"
    path.write_bytes(SAMPLES["evt3"])
    source = open_source(path)
    assert isinstance(source.given, FileContent)
    assert source.sha256 == Source(path, SAMPLES["evt3"]).sha256
    blocks = stream(source, block_bytes=64).blocks()
    next(blocks)
    path.write_bytes(SAMPLES["evt3"] + bytes(2))
    with pytest.raises(BadRecording, match="changed"):
        list(blocks)


@pytest.fixture(scope="module")
def decoder():
    with IsolatedDecoder() as decoder:
        yield decoder


LONG = 300_000


def long_recording(name):
    rng = np.random.default_rng(3)
    t = np.sort(rng.integers(0, 3_000_000, LONG))
    return WRITERS[name](t, rng.integers(0, 34, LONG), rng.integers(0, 34, LONG), rng.integers(0, 2, LONG))


@pytest.mark.parametrize("on_disk", [False, True])
def test_the_child_sends_blocks(decoder, tmp_path, monkeypatch, on_disk):
    """And where it dies between two of them, another one goes on from there."""
    monkeypatch.setattr("spikinghash.events.source.HELD_BYTES", 0 if on_disk else 1 << 30)
    (tmp_path / "a.raw").write_bytes(long_recording("evt2"))
    source = open_source(tmp_path / "a.raw")
    whole = collect(stream(source, block_bytes=source.size).blocks())
    recording = decoder.stream(source)
    for killed in (False, True):
        blocks, parts = Pass(recording.blocks()), []
        for block in blocks:
            parts.append(block)
            if killed and len(parts) == 2:
                decoder.child.process.kill()
        assert len(parts) > 3
        assert blocks.facts == whole.facts
        for column in "txyp":
            assert np.array_equal(np.concatenate([getattr(part, column) for part in parts]), getattr(whole, column))


def test_a_pass_that_nobody_ends_costs_the_next_nothing(decoder):
    source = Source(Path("a.raw"), long_recording("evt2"))
    blocks = decoder.stream(source).blocks()
    next(blocks)
    blocks.close()
    assert decoder.decode(source).count == LONG


def test_what_is_wrong_at_the_end_is_refused_by_the_child_as_here(decoder):
    data = long_recording("evt2")
    for bad in (data[:-1], data + b"\x00\x00\x00\x70"):
        source = Source(Path("a.raw"), bad)
        with pytest.raises(BadRecording) as here:
            collect(stream(source).blocks())
        with pytest.raises(BadRecording) as there:
            collect(decoder.stream(source).blocks())
        assert str(here.value) == str(there.value)
        assert here.value.offset == there.value.offset
