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
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.block_checks import BlockChecks
from spikinghash.events.collect import in_one_block
from spikinghash.events.content import Content, ReadAhead
from spikinghash.events.events import Blocks, Events
from spikinghash.events.flatbuffer import Table, unpack
from spikinghash.events.inflate import inflate
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.stated_sensor import agreed
from spikinghash.events.validate import SmallestSensor

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


@dataclass(frozen=True)
class _Layout:
    """First byte of the packets, first byte after them, codec, description in XML."""

    start: int
    end: int
    codec: str | None
    description: str


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file starts with the AEDAT 4.0 line."""
    return head.startswith(MAGIC)


def stream(content: Content, options: ReadOptions, block_bytes: int) -> Blocks:
    """A pass over the events of a file.

    With several event streams the first (by number) that holds events is read, the events of others are counted as
    `other-stream`; frames, IMU samples and triggers are counted too. The sensor is `options.sensor`, else that of the
    stream in the header, else the smallest that holds all coordinates, for which there is one more pass. Offsets of
    refusals are those of packets. Raises `BadRecording`: truncated, count, expansion, unknown-format (compression),
    decoder-crash (damaged packet), and what `validate` refuses.
    """
    file = ReadAhead(content)
    layout = _header(file)
    first = _first_stream(file, layout)
    sensor = agreed(options.sensor, _sensor(layout.description, first)) or _smallest(file, layout, first)
    checks, skipped = BlockChecks(sensor, NAME), Counter[str]()
    parts: list[NDArray[Any]] = []
    for _, number, events in _events(file, layout, skipped):
        if number != first:
            skipped["other-stream"] += events.size
            continue
        parts.append(events)
        if sum(part.nbytes for part in parts) >= block_bytes:
            block = _checked(checks, parts, last=False)
            parts = []
            if block.count:
                yield block
    block = _checked(checks, parts, last=True)
    if block.count:
        yield block
    return checks.finish(lambda index: _packet_of(file, layout, first, index), skipped)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file at once."""
    return in_one_block(stream, data, options)


def _checked(checks: BlockChecks, parts: list[NDArray[Any]], *, last: bool) -> Events:
    t, x, y, p = (np.concatenate([np.empty(0, EVENT[name]), *(part[name] for part in parts)]) for name in "txyp")
    return checks.add(t, x, y, p, last=last, give_away=True)


def _first_stream(file: Content, layout: _Layout) -> int:
    """The least number of a stream with events; packets of greater ones are not even unpacked."""
    found: int | None = None
    try:
        for position, number, content in _packets(file, layout):
            if found is None or number < found:
                events = _unpacked(position, content, layout, Counter())
                found = number if events is not None and events.size else found
    except BadRecording:
        # what is wrong after the first events is met again, in its order
        if found is None:
            raise
    if found is None:
        raise BadRecording("no-events", "no event stream of the file holds events")
    return found


def _smallest(file: Content, layout: _Layout, first: int) -> tuple[int, int]:
    smallest = SmallestSensor()
    for _, number, events in _events(file, layout, Counter()):
        if number == first:
            smallest.add(events["x"], events["y"])
    return smallest.sensor()


def _packet_of(file: Content, layout: _Layout, first: int, index: int) -> int:
    """The byte of the packet with event number `index`."""
    for position, number, events in _events(file, layout, Counter()):
        if number == first:
            index -= events.size
            if index < 0:
                return position
    raise IndexError(index)


def _events(file: Content, layout: _Layout, skipped: Counter[str]) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Byte, stream and events of all packets that hold some."""
    for position, number, content in _packets(file, layout):
        events = _unpacked(position, content, layout, skipped)
        if events is not None and events.size:
            yield position, number, events


def _unpacked(position: int, content: bytes, layout: _Layout, skipped: Counter[str]) -> NDArray[Any] | None:
    try:
        return _content(content, layout.codec, skipped)
    except BadRecording as error:
        raise BadRecording(error.reason, error.message, position) from error


def _header(file: Content) -> _Layout:
    begin = len(MAGIC) + 4
    if file.size < begin:
        raise BadRecording("truncated", "the file ends inside its header", file.size)
    (size,) = struct.unpack("<I", file.read(len(MAGIC), begin))
    if begin + size > file.size:
        raise BadRecording("truncated", f"the header of {size} bytes goes beyond the end of the file", len(MAGIC))
    table = Table.root(file.read(begin, begin + size))
    compression = table.scalar(0, "i", 0)
    if compression not in CODECS:
        raise BadRecording("unknown-format", f"unknown compression {compression} of AEDAT 4", begin)
    # packets end where the table of contents starts; -1 where the recording was not closed
    end = table.scalar(1, "q", -1)
    if end > file.size:
        raise BadRecording("truncated", f"the table of contents should stand at byte {end}", file.size)
    text, length = table.vector(2, 1)
    description = table.buffer[text : text + length].decode("utf-8", "replace")
    return _Layout(begin + size, file.size if end < begin + size else end, CODECS[compression], description)


def _packets(file: Content, layout: _Layout) -> Iterator[tuple[int, int, bytes]]:
    """All packets as (byte of the packet, number of the stream, compressed content)."""
    position, end = layout.start, layout.end
    while position < end:
        if position + 8 > end:
            raise BadRecording("truncated", "the file ends inside the header of a packet", position)
        number, size = struct.unpack("<ii", file.read(position, position + 8))
        if size < 0:
            raise BadRecording("count", f"a packet claims {size} bytes", position)
        if position + 8 + size > end:
            raise BadRecording("truncated", f"a packet of {size} bytes goes beyond the end of the file", position)
        yield position, number, file.read(position + 8, position + 8 + size)
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
