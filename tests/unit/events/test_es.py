import numpy as np
import pytest
from event_writers import es

from spikinghash.errors import BadRecording
from spikinghash.events import es as reader

HEAD = b"Event Stream\x02\x00\x00"
T, X, Y, P = (np.array([3, 130, 500, 500, 9000]), np.arange(5), np.arange(5) * 2, np.array([1, 0, 1, 1, 0]))


def refusal(data):
    with pytest.raises(BadRecording) as caught:
        reader.read(data)
    return caught.value.reason, caught.value.offset


def test_dvs_by_hand():
    stream = bytes([0xFE, 5 << 1 | 1, 7, 1, 9, 0, 0xFF, 0xFF, 0 << 1, 8, 0, 0, 1])
    events = reader.read(HEAD + b"\x01\x2c\x01\x2d\x01" + stream)
    assert list(zip(events.t, events.x, events.y, events.p, strict=True)) == [(5, 263, 9, 1), (259, 8, 256, 0)]
    assert (events.width, events.height) == (300, 301)


@pytest.mark.parametrize("kind", [1, 2])
def test_both_types(kind):
    events = reader.read(es(T, X, Y, P, kind=kind))
    assert (events.t.tolist(), events.x.tolist(), events.y.tolist()) == (T.tolist(), X.tolist(), Y.tolist())
    assert events.p.tolist() == P.tolist()


def test_exposure_measurements_count_for_time_not_as_events():
    data = es(T, X, Y, P, kind=2) + bytes([4 << 2 | 1, 0, 0, 0, 0, 2 << 2 | 2, 1, 0, 1, 0])
    events = reader.read(data)
    assert (events.count, events.t_last_us, events.p[-1]) == (6, 9006, 1)
    assert dict(events.dropped) == {"exposure": 1}


@pytest.mark.parametrize("kind", [0, 3, 4, 200])
def test_other_types_are_refused(kind):
    assert refusal(HEAD + bytes([kind]) + bytes(40)) == ("event-type", 15)


def test_refusals():
    assert refusal(b"Event Stream\x03\x00\x00\x01" + bytes(40)) == ("unknown-format", 12)
    data = es(T, X, Y, P)
    for cut in range(12, 20):
        assert refusal(data[:cut]) == ("truncated", cut)
    assert refusal(data[:20]) == ("no-events", None)
    assert refusal(data[:-1]) == ("truncated", len(data) - 5)
    assert refusal(es(T, X, Y, P, sensor=(4, 9))) == ("coordinate", len(data) - 5)
