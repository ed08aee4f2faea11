"""AEDAT 4.0 of DV: a FlatBuffers header with XML, then compressed packets of several streams.

Described in "AEDAT file formats" of inivation.com (AEDAT 4.0) and DV's FlatBuffers schemas. A packet is stream and size
(int32 each), then LZ4, Zstandard or plain content: a size-prefixed FlatBuffer named EVTS, FRME, IMUS or TRIG. An event
is time int64 in epoch microseconds, x and y int16, polarity bool, padded to 16 bytes.
Own decoder: the Rust ones (`aedat`, `faery`) trust offsets in the file and allocate what it claims.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.events.flatbuffer import Table, unpack
from spikinghash.events.inflate import inflate
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.stated_sensor import agreed
from spikinghash.events.validate import smallest_sensor, validate

NAME = "aedat4"
MAGIC = b"#!AER-DAT4.0\r\n"
EVENT = np.dtype(
    {"names": list("txyp"), "formats": ["<i8", "<i2", "<i2", "u1"], "offsets": [0, 8, 10, 12], "itemsize": 16}
)
CODECS = {0: None, 1: "lz4", 2: "lz4", 3: "zstd", 4: "zstd"}
#: Names in `dropped` of other packets.
OTHER_PACKETS = {b"FRME": "aps", b"IMUS": "imu", b"TRIG": "external"}

_STREAM = re.compile(r'<node name="(\d{1,9})"')
_SIDE = '<attr key="size{}"[^>]*>(\\d{{1,9}})<'


@dataclass
class _Stream:
    """Events of one stream so far; `offsets` are the bytes of their packets."""

    parts: list[NDArray[Any]] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file starts with the AEDAT 4.0 line."""
    return head.startswith(MAGIC)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    With several event streams the first (by number) that holds events is read, the events of others are counted as
    `other-stream`; frames, IMU samples and triggers are counted too. The sensor is `options.sensor`, else that of the
    stream in the header, else the smallest that holds all coordinates. Offsets of refusals are those of packets.
    Raises `BadRecording`: truncated, count, expansion, unknown-format (compression), decoder-crash (damaged packet),
    and what `validate` refuses.
    """
    start, end, codec, description = _header(data)
    streams: dict[int, _Stream] = {}
    skipped: Counter[str] = Counter()
    for position, number, content in _packets(data, start, end):
        try:
            events = _content(content, codec, skipped)
        except BadRecording as error:
            raise BadRecording(error.reason, error.message, position) from error
        if events is not None and events.size:
            stream = streams.setdefault(number, _Stream())
            stream.parts.append(events)
            stream.offsets.append(position)
    if not streams:
        raise BadRecording("no-events", "no event stream of the file holds events")
    first = min(streams)
    skipped["other-stream"] = sum(part.size for n, other in streams.items() if n != first for part in other.parts)
    sensor = agreed(options.sensor, _sensor(description, first))
    return _validated(streams[first], sensor, skipped)


def _validated(stream: _Stream, sensor: tuple[int, int] | None, skipped: Counter[str]) -> Events:
    ends = np.cumsum([part.size for part in stream.parts])

    def offset_of(index: int) -> int:
        return stream.offsets[int(np.searchsorted(ends, index, side="right"))]

    t, x, y, p = (np.concatenate([part[name] for part in stream.parts]) for name in "txyp")
    size = sensor or smallest_sensor(x, y)
    return validate(t, x, y, p, sensor=size, format=NAME, offset_of=offset_of, skipped=skipped)


def _header(data: bytes) -> tuple[int, int, str | None, str]:
    """First byte of the packets, first byte after them, codec, description in XML."""
    begin = len(MAGIC) + 4
    if len(data) < begin:
        raise BadRecording("truncated", "the file ends inside its header", len(data))
    (size,) = struct.unpack_from("<I", data, len(MAGIC))
    if begin + size > len(data):
        raise BadRecording("truncated", f"the header of {size} bytes goes beyond the end of the file", len(MAGIC))
    table = Table.root(data[begin : begin + size])
    compression = table.scalar(0, "i", 0)
    if compression not in CODECS:
        raise BadRecording("unknown-format", f"unknown compression {compression} of AEDAT 4", begin)
    # packets end where the table of contents starts; -1 where the recording was not closed
    end = table.scalar(1, "q", -1)
    if end > len(data):
        raise BadRecording("truncated", f"the table of contents should stand at byte {end}", len(data))
    text, length = table.vector(2, 1)
    description = table.buffer[text : text + length].decode("utf-8", "replace")
    return begin + size, len(data) if end < begin + size else end, CODECS[compression], description


def _packets(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """All packets as (byte of the packet, number of the stream, compressed content)."""
    position = start
    while position < end:
        if position + 8 > end:
            raise BadRecording("truncated", "the file ends inside the header of a packet", position)
        number, size = struct.unpack_from("<ii", data, position)
        if size < 0:
            raise BadRecording("count", f"a packet claims {size} bytes", position)
        if position + 8 + size > end:
            raise BadRecording("truncated", f"a packet of {size} bytes goes beyond the end of the file", position)
        yield position, number, data[position + 8 : position + 8 + size]
        position += 8 + size


def _content(content: bytes, codec: str | None, skipped: Counter[str]) -> NDArray[Any] | None:
    """Events of an event packet, a view; None for other packets, which are counted in `skipped`."""
    packet = content if codec is None else inflate(content, codec)
    if len(packet) < 12:
        raise BadRecording("truncated", "a packet ends before its name")
    name = packet[8:12]
    table = Table(packet, 4 + unpack(packet, "I", 4))
    if name == b"EVTS":
        start, count = table.vector(0, EVENT.itemsize)
        return np.frombuffer(packet, dtype=EVENT, count=count, offset=start) if count else None
    if name not in OTHER_PACKETS:
        skipped["other"] += 1
        return None
    skipped[OTHER_PACKETS[name]] += 1 if name == b"FRME" else table.vector(0, 4)[1]
    return None


def _sensor(description: str, stream: int) -> tuple[int, int] | None:
    """(width, height) of a stream in the XML, which is searched, not parsed; None where it says none."""
    parts = _STREAM.split(description)
    for number, part in zip(parts[1::2], parts[2::2], strict=True):
        if int(number) == stream:
            sides = [re.search(_SIDE.format(axis), part) for axis in "XY"]
            if sides[0] and sides[1]:
                return int(sides[0][1]), int(sides[1][1])
    return None
