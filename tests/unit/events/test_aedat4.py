import importlib
from pathlib import Path

import numpy as np
import pytest
from event_writers import aedat4, aedat4_of, event_packet, flat_table, list_packet

from spikinghash.errors import BadRecording
from spikinghash.events import aedat4 as reader
from spikinghash.events.options import ReadOptions

EPOCH_US = 1_605_537_493_718_345
T, X, Y, P = (EPOCH_US + np.arange(300) * 7, np.arange(300) % 34, np.arange(300) % 30, np.arange(300) % 2)
SAMPLES = Path(__file__).parents[3] / "../shared/data/formats/aedat4"


def refusal(data, **options):
    with pytest.raises(BadRecording) as caught:
        reader.read(data, ReadOptions(**options))
    return caught.value


@pytest.mark.parametrize("compression", [0, 1, 3])
def test_compressions(compression):
    events = reader.read(aedat4(T, X, Y, P, compression=compression))
    assert (events.t_first_us, events.t_last_us, events.count) == (EPOCH_US, EPOCH_US + 299 * 7, 300)
    assert (events.width, events.height) == (34, 34)


def test_streams_and_other_packets():
    first, second = event_packet(T, X, Y, P), event_packet(T[:9], X[:9], Y[:9], P[:9])
    nothing = flat_table(b"EVTS", [("I", 4)], bytes(4))
    packets = [(0, nothing), (5, second), (3, first), (7, list_packet(b"IMUS", 4)), (8, list_packet(b"TRIG", 2))]
    packets += [(9, flat_table(b"FRME", [("q", 1)], b"")), (9, flat_table(b"POSE", [("q", 1)], b""))]
    events = reader.read(aedat4_of(packets, sizes=((0, 1, 1), (3, 40, 50), (5, 2, 2))))
    assert (events.count, events.width, events.height) == (300, 40, 50)
    assert dict(events.dropped) == {"other-stream": 9, "imu": 4, "external": 2, "aps": 1, "other": 1}


def test_without_a_size_the_smallest_sensor_is_taken():
    events = reader.read(aedat4_of([(0, event_packet(T, X, Y, P))], sizes=()))
    assert (events.width, events.height) == (34, 30)


def test_a_file_without_events():
    frames = aedat4_of([(0, flat_table(b"FRME", [("q", 1)], b""))])
    for data in (frames, aedat4_of([]), aedat4_of([(0, flat_table(b"EVTS", [("I", 4)], bytes(4)))])):
        assert refusal(data).reason == "no-events"


def test_packets_end_at_the_table_of_contents():
    whole = aedat4(T, X, Y, P)
    data = aedat4_of([(0, event_packet(T, X, Y, P))], table_position=0x7FFF_FFFF)
    assert refusal(data).reason == "truncated"
    end = len(data)
    data = aedat4_of([(0, event_packet(T, X, Y, P))], table_position=end)
    assert reader.read(data + b"FTAB, not a packet").count == 300
    assert refusal(whole + b"abc").reason == "truncated"


def test_damage():
    good = event_packet(T, X, Y, P)
    start = len(aedat4_of([]))
    error = refusal(aedat4_of([(0, good)])[:-5])
    assert (error.reason, error.offset) == ("truncated", start)
    claims = good.replace((300).to_bytes(4, "little"), (2**32 - 1).to_bytes(4, "little"))
    assert refusal(aedat4_of([(0, claims)])).reason == "count"
    lost = good[:4] + b"\xff\xff\xff\x7f" + good[8:]
    error = refusal(aedat4_of([(0, lost)]))
    assert (error.reason, error.offset) == ("decoder-crash", start)
    broken = bytearray(aedat4_of([(0, good)]))
    broken[start + 8 : start + 12] = b"abcd"
    assert refusal(bytes(broken)).reason == "decoder-crash"
    assert refusal(aedat4_of([(0, b"short")])).reason == "truncated"
    assert refusal(aedat4_of([(0, good)], compression=9)).reason == "unknown-format"


def test_bombs_do_not_inflate():
    assert refusal(aedat4_of([(0, bytes(50_000_000))], compression=3)).reason == "expansion"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no shared data here")
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.aedat4")), ids=lambda path: path.name)
def test_agrees_with_the_rust_decoder(path):
    if importlib.util.find_spec("aedat") is None:
        pytest.skip("no aedat library here")
    import aedat

    theirs = np.concatenate([packet["events"] for packet in aedat.Decoder(str(path)) if "events" in packet])
    ours = reader.read(path.read_bytes())
    for name in ("t", "x", "y"):
        np.testing.assert_array_equal(getattr(ours, name), theirs[name])
    np.testing.assert_array_equal(ours.p, theirs["on"])
