"""Prophesee DAT, version 2: `%` lines, a type byte, a size byte, then little-endian records of time and address.

Described in the Metavision documentation, "DAT file format". Times are unsigned 32-bit microseconds; an address has x
in bits 0-13, y in bits 14-27 and polarity from bit 28 (1 = ON). Type 0x00 (N-CARS) and 0x0C have the same records.
Version 1 files of old ATIS cameras have no header at all: see `atis_dat`.
"""

from __future__ import annotations

import numpy as np

from spikinghash.errors import BadRecording
from spikinghash.events.clock import refuse_wrap
from spikinghash.events.events import Events
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.percent_header import percent_header, sensor_in
from spikinghash.events.records import whole_records
from spikinghash.events.stated_sensor import agreed
from spikinghash.events.validate import smallest_sensor, validate

NAME = "dat"
RECORD = np.dtype([("t", "<u4"), ("address", "<u4")])
TYPES = (0x00, 0x0C)


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file starts with `%` lines that speak of a DAT version or size, not of an EVT encoding."""
    fields, _ = percent_header(head)
    return not {"evt", "format", "system_id"} & fields.keys() and bool({"version", "width", "data"} & fields.keys())


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    The sensor is `options.sensor`, else that of the header, else the smallest that holds all coordinates.
    Raises `BadRecording`: truncated, event-type, count (records of other than 8 bytes), time-wrap, and what
    `validate` refuses.
    """
    fields, end = percent_header(data)
    if len(data) < end + 2:
        raise BadRecording("truncated", "the file ends before the type and size of its events", len(data))
    kind, size = data[end], data[end + 1]
    if kind not in TYPES:
        raise BadRecording("event-type", f"events of type 0x{kind:02x} are not polarity events", end)
    if size != RECORD.itemsize:
        raise BadRecording("count", f"the header says {size} bytes an event, this type has 8", end + 1)
    start = end + 2
    records = whole_records(data, start, RECORD)

    def offset_of(index: int) -> int:
        return start + index * RECORD.itemsize

    address = records["address"]
    x, y = address & 0x3FFF, (address >> 14) & 0x3FFF
    refuse_wrap(records["t"], offset_of)
    sensor = agreed(options.sensor, sensor_in(fields)) or smallest_sensor(x, y)
    return validate(records["t"], x, y, address >> 28, sensor=sensor, format=NAME, offset_of=offset_of)
