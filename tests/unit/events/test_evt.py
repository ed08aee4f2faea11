import struct

import numpy as np
import pytest
from event_writers import evt2, evt3, evt21

from spikinghash.errors import BadRecording
from spikinghash.events import evt2 as reader2
from spikinghash.events import evt3 as reader3
from spikinghash.events import evt21 as reader21
from spikinghash.events.evt_header import evt_header
from spikinghash.events.options import ReadOptions

HEAD2, HEAD3 = b"% evt 2.0\n% geometry 64x48\n", b"% evt 3.0\n% geometry 64x48\n% end\n"
HEAD21 = b"% evt 2.1\n% geometry 64x48\n% end\n"


def rows(events):
    return list(zip(*(column.tolist() for column in (events.t, events.x, events.y, events.p)), strict=True))


def words2(*words):
    return HEAD2 + struct.pack(f"<{len(words)}I", *words)


def words3(*words):
    return HEAD3 + struct.pack(f"<{len(words)}H", *words)


def words21(*words, head=HEAD21):
    return head + struct.pack(f"<{len(words)}Q", *words)


def refusal(read, data, **options):
    with pytest.raises(BadRecording) as caught:
        read(data, ReadOptions(**options))
    return caught.value.reason, caught.value.offset


def test_evt2_by_hand():
    words = (0x1000_0801, 0x8000_0002, 0x1040_0801, 0xA000_0000, 0xE000_0000, 0xF000_0000, 0x0080_1002)
    events = reader2.read(words2(*words))
    assert rows(events) == [(129, 1, 1, 1), (130, 2, 2, 0)]
    assert dict(events.dropped) == {"untimed": 1, "external": 1, "vendor": 2}


def test_evt3_by_hand():
    words = (
        0x2001,
        0x8001,
        0x6002,
        0x0005,
        0x2803,
        0x3804,
        0x4805,
        0x5003,
        0xA000,
        0xE000,
        0x7000,
        0xF000,
        0x6003,
        0x2001,
    )
    events = reader3.read(words3(*words))
    base, t = 4, 4096 + 2
    vector = [(t, base, 5, 1), (t, base + 2, 5, 1), (t, base + 11, 5, 1), (t, base + 12, 5, 1), (t, base + 13, 5, 1)]
    assert rows(events) == [(t, 3, 5, 1), *vector, (t + 1, 1, 5, 0)]
    assert dict(events.dropped) == {"untimed": 1, "external": 1, "vendor": 3}


@pytest.mark.parametrize("swapped", [True, False])
def test_evt21_by_hand(swapped):
    words = [0x8 << 60 | 2 << 32, 0x1 << 60 | 1 << 54 | 32 << 43 | 7 << 32 | 0x8000_0003 & 0xFFFF_FFFF, 0xA << 60]
    if swapped:
        words = [word >> 32 | (word & 0xFFFFFFFF) << 32 for word in words]
    for head in (
        HEAD21,
        f"% format EVT21;endianness={'legacy' if swapped else 'little'};height=48;width=64\n".encode(),
    ):
        events = reader21.read(words21(*words, head=head))
        assert rows(events) == [(129, 32, 7, 1), (129, 33, 7, 1), (129, 63, 7, 1)]
        assert dict(events.dropped) == {"external": 1}


def test_clocks_run_over():
    two = reader2.read(words2(0x8FFF_FFFF, 0x0FC0_0000, 0x8000_0000, 0x0000_0000))
    assert two.t.tolist() == [2**34 - 1, 2**34]
    three = reader3.read(words3(0x8FFF, 0x6FFF, 0x0000, 0x2000, 0x8000, 0x6000, 0x2000, 0x8001, 0x2000))
    assert three.t.tolist() == [2**24 - 1, 2**24, 2**24 + 4096]


def test_evt3_clock_out_of_turn():
    events = reader3.read(words3(0x8001, 0x632B, 0x6320, 0x0000, 0x2000, 0x632C, 0x2000))
    assert (events.t.tolist(), events.reordered) == ([4096 + 0x32B, 4096 + 0x32C], 0)
    assert refusal(reader3.read, words3(0x8003, 0x6000, 0x2000, 0x8001, 0x2000))[0] == "time-order"


@pytest.mark.parametrize("kind", [2, 3, 4, 5, 6, 7, 9, 0xB, 0xC, 0xD])
def test_unknown_types_of_evt2(kind):
    assert refusal(reader2.read, words2(0x8000_0000, kind << 28)) == ("event-type", len(HEAD2) + 4)


@pytest.mark.parametrize("kind", [1, 9, 0xB, 0xC, 0xD])
def test_unknown_types_of_evt3(kind):
    assert refusal(reader3.read, words3(0x8000, 0x6000, kind << 12)) == ("event-type", len(HEAD3) + 4)


@pytest.mark.parametrize(
    ("read", "write", "word"), [(reader2.read, evt2, 4), (reader3.read, evt3, 2), (reader21.read, evt21, 8)]
)
def test_offsets(read, write, word):
    columns = (np.array([70, 71, 5000]), np.array([1, 40, 1]), np.array([1, 1, 1]), np.array([0, 1, 1]))
    data = write(*columns)
    reason, offset = refusal(read, data)
    assert reason == "coordinate"
    fresh = write(*(column[:2] for column in columns))
    assert offset == len(fresh) - word
    assert refusal(read, data[:-1]) == ("truncated", len(data) - word)


def test_vectors_of_evt3():
    columns = (np.array([70, 71, 5000]), np.array([1, 30, 1]), np.array([1, 1, 1]), np.array([0, 1, 1]))
    assert rows(reader3.read(evt3(*columns, vectors=True))) == rows(reader3.read(evt3(*columns)))


@pytest.mark.parametrize(
    ("lines", "encoding", "sensor"),
    [
        (b"% evt 2.0\n% system_ID 21\n", "2.0", (640, 480)),
        (b"% evt 3.0\n% system_ID 48\n", "3.0", (1280, 720)),
        (b"% evt 2.0\n% system_ID 149\n", "2.0", (640, 480)),
        (b"% evt 3.0\n% system_ID 7\n", "3.0", None),
        (b"% format EVT3;height=320;width=320\n% end\n", "3.0", (320, 320)),
        (b"% evt 3.0\n% geometry 1280x720\n% system_ID 21\n", "3.0", (1280, 720)),
        (b"", None, None),
    ],
)
def test_headers(lines, encoding, sensor):
    header = evt_header(lines + b"\x00\x01")
    assert (header.encoding, header.sensor, header.start) == (encoding, sensor, len(lines))


def test_a_sensor_nobody_names_is_refused():
    data = evt2(*(np.array([1]),) * 4, header=b"% evt 2.0\n")
    assert refusal(reader2.read, data)[0] == "sensor"
    assert reader2.read(data, ReadOptions(sensor=(10, 10))).count == 1


def test_without_a_header_when_named():
    data = evt3(*(np.array([1]),) * 4, header=b"")
    assert reader3.read(data, ReadOptions(sensor=(10, 10))).count == 1
