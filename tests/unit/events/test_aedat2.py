import struct

import numpy as np
import pytest
from event_writers import aedat2

from spikinghash.errors import BadRecording
from spikinghash.events import aedat2 as reader
from spikinghash.events.options import ReadOptions

T, X, Y, P = (np.arange(1, 2001) * 10, np.arange(2000) % 120, np.arange(2000) % 110, np.arange(2000) % 2)


def refusal(data, **options):
    with pytest.raises(BadRecording) as caught:
        reader.read(data, ReadOptions(**options))
    return caught.value


def test_literal_words():
    data = (
        b"#!AER-DAT2.0\r\n"
        + struct.pack(">II", 5 << 8 | 9 << 1 | 1, 2**31 + 7)
        + struct.pack(">II", 6 << 8 | 9 << 1, 2**31 + 9)
    )
    events = reader.read(data)
    assert list(zip(events.t, events.x, events.y, events.p, strict=True)) == [
        (2**31 + 7, 9, 5, 0),
        (2**31 + 9, 9, 6, 1),
    ]
    assert (events.width, events.height) == (128, 128)


@pytest.mark.parametrize("chip", ["DAVIS240C", "DAVIS346B", None])
def test_davis_words_of_other_kinds_are_counted(chip):
    data = aedat2(T, X + 100, Y, P, chip=chip or "DAVIS240C")
    if chip is None:
        data = data.replace(b"# AEChip", b"# Nothing")
    imu, aps, external = 1 << 31 | 3 << 10, 1 << 31 | 1 << 10 | 77 << 12, 1 << 10
    data += b"".join(struct.pack(">II", word, 30_000) for word in (imu, imu, aps, aps, aps, external))
    events = reader.read(data)
    assert dict(events.dropped) == {"imu": 2, "aps": 3, "external": 1}
    assert events.count == 2000
    assert (events.width, events.height) == ((346, 260) if chip == "DAVIS346B" else (240, 180))
    assert (events.x == X + 100).all()


def test_external_input_of_the_dvs128():
    events = reader.read(aedat2(T, X, Y, P) + struct.pack(">II", 0x8000, 30_000))
    assert dict(events.dropped) == {"external": 1}


def test_header_of_thousands_of_lines():
    header = b'#                <entry key="a" value="b"/>\r\n' * 3000 + b"#End Of ASCII Header\r\n"
    assert reader.read(aedat2(T, X, Y, P, header=header)).count == 2000


def test_first_record_may_look_like_a_header_line():
    # 0x23 is '#': an address whose bytes are not text ends the header
    data = b"#!AER-DAT2.0\r\n" + b"".join(struct.pack(">II", 0x23000000 | i << 12, i) for i in range(50))
    assert reader.read(data, ReadOptions(layout="davis346")).count == 50


def test_layout_option_wins():
    data = aedat2(T, X, Y, P, chip="DAVIS346B")
    events = reader.read(data, ReadOptions(layout="davis240"))
    assert (events.width, events.height) == (240, 180)
    assert refusal(data, layout="dvs128").reason == "event-type"


def test_unknown_chip_needs_a_layout():
    data = aedat2(T, X, Y, P).replace(b"DVS128", b"ATIS304")
    error = refusal(data)
    assert error.reason == "unknown-format"
    assert "dvs128" in error.message
    assert reader.read(data, ReadOptions(layout="dvs128")).count == 2000


def test_truncated_and_wrapped():
    data = aedat2(T, X, Y, P)
    error = refusal(data[:-3])
    assert (error.reason, error.offset) == ("truncated", len(data) - 8)
    error = refusal(data + struct.pack(">II", 0, 2**32 - 1) + struct.pack(">II", 0, 3))
    assert (error.reason, error.offset) == ("time-wrap", len(data) + 8)


def test_offset_counts_skipped_words():
    data = aedat2(T, X, Y, P, chip="DAVIS240C").replace(b"# AEChip", b"# Chip")  # a size by camera is not overridden
    start = len(data) - 2000 * 8
    imu = struct.pack(">II", 1 << 31 | 3 << 10, 0)
    error = refusal(data[:start] + imu + data[start:], sensor=(119, 180))
    assert (error.reason, error.offset) == ("coordinate", start + 8 + 119 * 8)


def test_no_events():
    assert refusal(b"#!AER-DAT2.0\r\n").reason == "no-events"
