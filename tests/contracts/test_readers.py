"""What every reader of a raw format promises. A new format joins by a line in `SAMPLES`."""

import random
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spikinghash.errors import BadRecording
from spikinghash.events import nmnist
from spikinghash.events.reader import FORMATS, decode
from spikinghash.events.source import Source
from spikinghash.events.validate import SKIPPED, validate
from spikinghash.schema import DROP_REASONS, REASONS

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/events"))
from event_writers import WRITERS


def columns(count=400):
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(0, 300_000, size=count))
    return t, rng.integers(0, 34, count), rng.integers(0, 34, count), rng.integers(0, 2, count)


#: Content of a good file of each format that holds `columns()`.
SAMPLES = {name: write(*columns()) for name, write in WRITERS.items()}
SAMPLES[nmnist.NAME] = nmnist.to_bytes(validate(*columns(), sensor=(34, 34), format="sample"))
#: Sensor that the sample itself states, by size or by camera.
STATED = dict.fromkeys(("aedat4", "evt2", "evt21", "evt3", "dat", "es"), (34, 34))
STATED |= {"aedat2": (128, 128), "aedat3": (128, 128)}


def read(data, name=None, sensor=None):
    return decode(Source(Path("sample"), bytes(data)), format=name, sensor=sensor)


def check(events):
    assert events.count > 0
    assert (np.diff(events.t) >= 0).all()
    assert events.t_first_us >= 0
    assert int(events.x.max()) < events.width
    assert int(events.y.max()) < events.height
    assert set(np.unique(events.p).tolist()) <= {0, 1}
    assert set(events.dropped) <= {*DROP_REASONS, *SKIPPED}
    assert not any(column.flags.writeable for column in (events.t, events.x, events.y, events.p))
    types = (events.t.dtype, events.x.dtype, events.y.dtype, events.p.dtype)
    assert types == (np.int64, np.uint16, np.uint16, np.uint8)


def valid_or_refused(data, name=None):
    refused = None
    try:
        check(read(data, name))
    except BadRecording as error:
        refused = error
    if refused is not None:
        assert refused.reason in REASONS
        assert refused.message
        assert "\n" not in str(refused)
        assert refused.offset is None or 0 <= refused.offset <= len(data)


every_format = pytest.mark.parametrize("name", [known.name for known in FORMATS])


def test_every_format_has_a_sample():
    assert {known.name for known in FORMATS} == set(SAMPLES)


@every_format
def test_sample_is_recognised_and_read(name):
    events = read(SAMPLES[name], sensor=STATED.get(name, (34, 34)))
    check(events)
    assert events.format == name
    for ours, given_column in zip((events.t, events.x, events.y, events.p), columns(), strict=True):
        np.testing.assert_array_equal(ours, given_column)


@every_format
def test_only_its_own_reader_claims_a_sample(name):
    data = SAMPLES[name]
    assert next(known.name for known in FORMATS if known.looks_like(data[:65536], len(data))) == name


@every_format
def test_reading_twice_gives_the_same(name):
    first, second = read(SAMPLES[name]), read(SAMPLES[name])
    assert first.summary() == second.summary()
    assert first.t.tobytes() == second.t.tobytes()


@every_format
def test_empty_and_one_byte(name):
    for data, reasons in ((b"", {"empty"}), (SAMPLES[name][:1], {"empty", "truncated", "unknown-format"})):
        for forced in (name, None):
            with pytest.raises(BadRecording) as caught:
                read(data, forced)
            assert caught.value.reason in reasons


@every_format
def test_cut_anywhere(name):
    data = SAMPLES[name]
    rng = random.Random(0)
    for cut in {*range(min(200, len(data))), *(rng.randrange(len(data)) for _ in range(200))}:
        valid_or_refused(data[:cut], name)
        valid_or_refused(data[:cut])


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - STATED.keys()))
def test_a_smaller_sensor_refuses_and_a_larger_accepts(name):
    with pytest.raises(BadRecording, match="coordinate"):
        read(SAMPLES[name], name, (20, 20))
    assert read(SAMPLES[name], name, (346, 260)).width == 346
    with pytest.raises(BadRecording, match="sensor"):
        read(SAMPLES[name], name, (2**31, 2**31))


@pytest.mark.parametrize("name", STATED)
def test_a_sensor_that_contradicts_the_file_refuses(name):
    """What is asked for does not replace what the file states: it would be read as another camera's recording."""
    width, height = STATED[name]
    assert read(SAMPLES[name], name, (width, height)).width == width
    for other in ((20, 20), (346, 260), (height, width + 1), (2**31, 2**31)):
        with pytest.raises(BadRecording) as caught:
            read(SAMPLES[name], name, other)
        assert caught.value.reason == "sensor"
        assert f"{width}x{height}" in caught.value.message
        assert f"{other[0]}x{other[1]}" in caught.value.message


@every_format
@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300))
@example(data=b"\xff" * 5)
def test_any_bytes(name, data):
    valid_or_refused(data, name)
    valid_or_refused(data)


@every_format
@settings(max_examples=100, deadline=None)
@given(keep=st.integers(0, 600), data=st.binary(max_size=200))
def test_any_bytes_after_a_good_start(name, keep, data):
    valid_or_refused(SAMPLES[name][:keep] + data, name)


@every_format
@settings(max_examples=100, deadline=None)
@given(where=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=20))
def test_flipped_bytes(name, where):
    data = bytearray(SAMPLES[name])
    for position, value in where:
        data[position % len(data)] = value
    valid_or_refused(data, name)
    valid_or_refused(data)
