"""Prophesee DAT, version 2: `%` lines, a type byte, a size byte, then little-endian records of time and address.

Described in the Metavision documentation, "DAT file format". Times are unsigned 32-bit microseconds; an address has x
in bits 0-13, y in bits 14-27 and polarity from bit 28 (1 = ON). Type 0x00 (N-CARS) and 0x0C have the same records.
Version 1 files of old ATIS cameras have no header at all: see `atis_dat`.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.collect import in_one_block
from spikinghash.events.content import Content
from spikinghash.events.dat_records import RECORD, stream_records
from spikinghash.events.events import Blocks, Events
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.percent_header import percent_header, sensor_in, whole_header
from spikinghash.events.stated_sensor import agreed

NAME = "dat"
TYPES = (0x00, 0x0C)


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file starts with `%` lines that speak of a DAT version or size, not of an EVT encoding."""
    fields, _ = percent_header(head)
    return not {"evt", "format", "system_id"} & fields.keys() and bool({"version", "width", "data"} & fields.keys())


def stream(content: Content, options: ReadOptions, block_bytes: int) -> Blocks:
    """A pass over the events of a file.

    The sensor is `options.sensor`, else that of the header, else the smallest that holds all coordinates, for which
    the file is read twice. Raises `BadRecording`: truncated, event-type, count (records of other than 8 bytes),
    time-wrap, and what `validate` refuses.
    """
    head = whole_header(content)
    fields, end = percent_header(head)
    if content.size < end + 2:
        raise BadRecording("truncated", "the file ends before the type and size of its events", content.size)
    kind, size = content.read(end, end + 2)
    if kind not in TYPES:
        raise BadRecording("event-type", f"events of type 0x{kind:02x} are not polarity events", end)
    if size != RECORD.itemsize:
        raise BadRecording("count", f"the header says {size} bytes an event, this type has 8", end + 1)
    sensor = agreed(options.sensor, sensor_in(fields))
    return stream_records(content, end + 2, _split, sensor, block_bytes, format=NAME)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file at once."""
    return in_one_block(stream, data, options)


def _split(address: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    return address & 0x3FFF, (address >> 14) & 0x3FFF, address >> 28
