import numpy as np
import pytest
from event_writers import atis_dat, dat

from spikinghash.errors import BadRecording
from spikinghash.events import atis_dat as old
from spikinghash.events import dat as reader
from spikinghash.events.options import ReadOptions

COLUMNS = (np.arange(100) * 7, np.arange(100) % 30, np.arange(100) % 20, np.arange(100) % 2)


def refusal(data, module=reader):
    with pytest.raises(BadRecording) as caught:
        module.read(data)
    return caught.value.reason, caught.value.offset


@pytest.mark.parametrize("kind", [0x00, 0x0C])
def test_both_types(kind):
    events = reader.read(dat(*COLUMNS, kind=kind))
    assert (events.count, events.width, events.height) == (100, 34, 34)


def test_without_a_size_the_smallest_sensor_is_taken():
    data = dat(*COLUMNS, header=b"% Version 2\n")
    assert (reader.read(data).width, reader.read(data).height) == (30, 20)
    assert reader.read(data, ReadOptions(sensor=(304, 240))).width == 304


def test_refusals():
    head = b"% Version 2\n"
    data = dat(*COLUMNS, header=head)
    assert refusal(head + b"\x0e\x08" + bytes(80)) == ("event-type", len(head))
    assert refusal(head + b"\x0c\x10" + bytes(80)) == ("count", len(head) + 1)
    assert refusal(head) == ("truncated", len(head))
    assert refusal(data[:-1]) == ("truncated", len(data) - 8)
    assert refusal(head + b"\x0c\x08") == ("no-events", None)
    wrapped = tuple(np.array(column) for column in ([2**32 - 1, 5], [0, 0], [0, 0], [0, 0]))
    assert refusal(dat(*wrapped, header=head)) == ("time-wrap", len(head) + 2 + 8)
    strange = dat(*(np.array([v]) for v in (1, 1, 1, 4)), header=head)
    assert refusal(strange) == ("polarity", len(head) + 2)


def test_old_atis_records():
    events = old.read(atis_dat(*COLUMNS))
    assert (events.format, events.count, events.width, events.height) == ("atis-dat", 100, 30, 20)
    assert refusal(atis_dat(*COLUMNS)[:-3], old) == ("truncated", 99 * 8)


@pytest.mark.parametrize(
    ("change", "seems"), [(lambda d: d, True), (lambda d: d[:-3], True), (lambda d: d[:13], False)]
)
def test_detection_of_old_atis_records(change, seems):
    data = change(atis_dat(*COLUMNS))
    assert old.looks_like(data, len(data)) is seems


def test_other_content_is_not_old_atis():
    rng = np.random.default_rng(0)
    for data in (bytes(800), rng.bytes(800), atis_dat(COLUMNS[0][::-1], *COLUMNS[1:])):
        assert not old.looks_like(data, len(data))
