import struct

import numpy as np
import pytest
from event_writers import aedat3

from spikinghash.errors import BadRecording
from spikinghash.events import aedat3 as reader
from spikinghash.events.options import ReadOptions

HEAD = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS346\r\n#!END-HEADER\r\n"
COLUMNS = (np.arange(250) * 7, np.arange(250) % 120, np.arange(250) % 110, np.arange(250) % 2)


def packet(kind, events, *, size=8, capacity=None, number=None, overflow=0, source=1):
    count = len(events) if number is None else number
    body = b"".join(struct.pack("<II", *event) for event in events)
    room = count if capacity is None else capacity
    body += bytes(max(0, min(room, 100) * size - len(body)))
    return struct.pack("<HHIIIIII", kind, source, size, 4, overflow, room, count, count) + body


def word(x, y, p, valid=1):
    return x << 17 | y << 2 | p << 1 | valid


def refusal(data, **options):
    with pytest.raises(BadRecording) as caught:
        reader.read(data, ReadOptions(**options))
    return caught.value.reason, caught.value.offset


def test_number_not_capacity_and_invalid_events():
    events = [(word(300, 200, 1), 5), (word(1, 1, 1, valid=0), 6), (word(2, 3, 0), 7)]
    data = HEAD + packet(1, events, capacity=9) + packet(1, [(word(4, 4, 1), 1)], overflow=1)
    read = reader.read(data)
    assert (read.t.tolist(), read.x.tolist(), read.y.tolist()) == ([5, 7, 2**31 + 1], [300, 2, 4], [200, 3, 4])
    assert read.p.tolist() == [1, 0, 1]
    assert dict(read.dropped) == {"invalid": 1}
    assert (read.width, read.height) == (346, 260)


def test_other_packets_are_counted():
    good = packet(1, [(word(1, 1, 1), 5)])
    others = packet(0, [(0, 0)] * 2) + packet(2, [], size=80, number=1) + packet(3, [], size=40, number=2)
    others += packet(9, [(0, 0)]) + packet(1, [(word(1, 1, 1), 5)] * 3, source=2)
    events = reader.read(HEAD + good + others)
    assert dict(events.dropped) == {"external": 2, "aps": 1, "imu": 2, "other": 1, "other-stream": 3}
    assert events.count == 1


def test_unknown_camera_takes_the_smallest_sensor():
    events = reader.read(aedat3(*COLUMNS, camera="File"))
    assert (events.width, events.height) == (120, 110)


def test_refusals():
    good = packet(1, [(word(1, 1, 1), 5)])
    for cut in range(1, len(good)):
        assert refusal(HEAD + good + good[:cut]) == ("truncated", len(HEAD) + len(good))
    assert refusal(HEAD + good + packet(1, [], number=5, capacity=4)) == ("count", len(HEAD) + len(good))
    assert refusal(HEAD + packet(1, [], number=2**32 - 1, capacity=2**32 - 1))[0] == "truncated"
    assert refusal(HEAD + packet(1, [], number=1, size=12))[0] == "count"
    assert refusal(HEAD + packet(3, [], number=1, size=0))[0] == "count"
    assert refusal(HEAD + packet(0x8001, [])) == ("event-type", len(HEAD))
    assert refusal(HEAD)[0] == "no-events"
    assert refusal(HEAD[:-2])[0] == "truncated"
    assert refusal(HEAD.replace(b"RAW", b"SerializedTS") + good)[0] == "unknown-format"


def test_offset_of_an_event():
    data = aedat3(*COLUMNS, packet=100, spare=2, camera="Unknown")
    start = data.index(b"#!END-HEADER\r\n") + 14
    assert refusal(data, sensor=(119, 128)) == ("coordinate", start + 28 + 102 * 8 + 28 + 19 * 8)
