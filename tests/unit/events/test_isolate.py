"""Decoding in a child: same events, and a decoder that crashes, hangs or eats memory costs one refusal."""

import time
from pathlib import Path

import numpy as np
import pytest
from hostile_worker import COMMAND

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events import nmnist
from spikinghash.events.isolate import IsolatedDecoder, Limits
from spikinghash.events.reader import decode
from spikinghash.events.source import Source
from spikinghash.events.validate import validate


def recording(count=500):
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(0, 300_000, count))
    x, y, p = rng.integers(0, 34, count), rng.integers(0, 34, count), rng.integers(0, 2, count)
    return nmnist.to_bytes(validate(t, x, y, p, sensor=(34, 34), format="nmnist"))


def source(data, name="clip.bin"):
    return Source(Path(name), data)


@pytest.fixture(scope="module")
def hostile():
    limits = Limits(seconds=2.0, seconds_per_mb=0.0, memory_bytes=256 << 20)
    with IsolatedDecoder(limits, COMMAND) as decoder:
        yield decoder


def test_the_same_events_as_without_a_child():
    data = recording()
    with IsolatedDecoder() as decoder:
        here, there = decode(source(data)), decoder.decode(source(data))
    for name in ("t", "x", "y", "p"):
        assert np.array_equal(getattr(here, name), getattr(there, name))
        assert getattr(here, name).dtype == getattr(there, name).dtype
    assert here.summary() == there.summary()
    assert here.reordered == there.reordered


def test_refusals_keep_reason_message_and_offset():
    data = recording()[:-2]
    with IsolatedDecoder() as decoder:
        with pytest.raises(BadRecording) as there:
            decoder.decode(source(data))
        with pytest.raises(ConfigError, match="unknown recording format"):
            decoder.decode(source(data), format="film")
    with pytest.raises(BadRecording) as here:
        decode(source(data))
    facts = [(e.value.reason, e.value.message, e.value.offset) for e in (here, there)]
    assert facts[0] == facts[1]


@pytest.mark.parametrize(
    ("word", "reason"),
    [(b"crash", "decoder-crash"), (b"leave", "decoder-crash"), (b"eat", "memory"), (b"hang", "timeout")],
)
def test_a_hostile_decoder_is_refused_and_the_next_file_is_read(hostile, word, reason):
    good = source(recording())
    assert hostile.decode(good).count == 500
    started = time.monotonic()
    with pytest.raises(BadRecording) as refused:
        hostile.decode(source(word * 20))
    assert refused.value.reason == reason
    assert time.monotonic() - started < 30
    assert hostile.decode(good).count == 500


def test_large_recordings_cross_the_pipes_whole():
    data = recording(400_000)
    with IsolatedDecoder() as decoder:
        assert decoder.decode(source(data)).count == 400_000


def test_closing_leaves_no_process():
    decoder = IsolatedDecoder()
    decoder.decode(source(recording()))
    child = decoder.child.process
    decoder.close()
    assert child.poll() is not None
