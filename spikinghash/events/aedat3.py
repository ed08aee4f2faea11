"""AEDAT 3.1 of cAER and DVS128 Gesture: text to `#!END-HEADER`, then little-endian packets of one event type each.

Described in "AEDAT file formats" of inivation.com (AEDAT 3.1). A packet has a 28-byte header: type, source (uint16),
event size, time offset, overflow, capacity, number, valid (uint32). A polarity event is a word (valid bit 0, polarity
bit 1, y bits 2-16, x bits 17-31) and a time; the full time is overflow << 31 | time, in microseconds.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.stated_sensor import agreed
from spikinghash.events.validate import smallest_sensor, validate

NAME = "aedat3"
MAGIC = b"#!AER-DAT3."
HEADER_END = b"#!END-HEADER\r\n"
HEADER = struct.Struct("<HHIIIIII")
EVENT = np.dtype([("word", "<u4"), ("t", "<u4")])
POLARITY = 1
#: Names in `dropped` of the other event types: special, frame, IMU 6 and 9.
OTHER_TYPES = {0: "external", 2: "aps", 3: "imu", 4: "imu"}
SENSORS = {"DVS128": (128, 128), "DAVIS240": (240, 180), "DAVIS346": (346, 260), "DAVIS640": (640, 480)}


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file starts with the AEDAT 3 line."""
    return head.startswith(MAGIC)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    The sensor is `options.sensor`, else that of the camera in the header, else the smallest that holds all coordinates.
    Events marked invalid are dropped and counted, as are the events of other types. With several cameras in one file
    the first that sent polarity events is read. Raises `BadRecording`: truncated, count, event-type (compressed
    packets), unknown-format (other encodings than RAW), and what `validate` refuses.
    """
    start, header = _header(data)
    parts: list[NDArray[Any]] = []
    times: list[NDArray[np.int64]] = []
    offsets: list[int] = []
    skipped: Counter[str] = Counter()
    camera = None
    for position, kind, source, overflow, number in _packets(data, start):
        if kind != POLARITY or (camera is not None and source != camera):
            skipped["other-stream" if kind == POLARITY else OTHER_TYPES.get(kind, "other")] += number
        elif number:
            camera = source
            events = np.frombuffer(data, dtype=EVENT, count=number, offset=position)
            parts.append(events)
            times.append(events["t"].astype(np.int64) | (overflow << 31))
            offsets.append(position)
    if not parts:
        raise BadRecording("no-events", "the file holds no polarity events")
    word, t = np.concatenate([part["word"] for part in parts]), np.concatenate(times)
    valid = np.flatnonzero(word & 1)
    skipped["invalid"] += word.size - valid.size
    firsts = np.cumsum([0, *(part.size for part in parts)])

    def offset_of(index: int) -> int:
        event = int(valid[index])
        packet = int(np.searchsorted(firsts, event, side="right")) - 1
        return offsets[packet] + (event - int(firsts[packet])) * EVENT.itemsize

    word = word[valid]
    x, y, p = word >> 17, (word >> 2) & 0x7FFF, (word >> 1) & 1
    sensor = agreed(options.sensor, _sensor(header)) or smallest_sensor(x, y)
    return validate(t[valid], x, y, p, sensor=sensor, format=NAME, offset_of=offset_of, skipped=skipped)


def _header(data: bytes) -> tuple[int, bytes]:
    end = data.find(HEADER_END)
    if end < 0:
        raise BadRecording("truncated", "the header has no end", len(data))
    header = data[:end]
    encoding = re.search(rb"#Format:[ \t]*(\S+)", header)
    if encoding and encoding[1] != b"RAW":
        name = encoding[1][:40].decode("latin-1")
        raise BadRecording(
            "unknown-format", f"AEDAT 3.1 events encoded as {name!r}; only RAW is read", encoding.start()
        )
    return end + len(HEADER_END), header


def _sensor(header: bytes) -> tuple[int, int] | None:
    cameras = re.findall(rb"#Source \d+:[ \t]*([ -~]*)", header)
    for name, sensor in SENSORS.items():
        if any(name in camera.decode("ascii").upper() for camera in cameras[:1]):
            return sensor
    return None


def _packets(data: bytes, start: int) -> Iterator[tuple[int, int, int, int, int]]:
    """All packets as (byte of the first event, type, source, overflow, number of events)."""
    position = start
    while position < len(data):
        if len(data) - position < HEADER.size:
            raise BadRecording("truncated", "the file ends inside the header of a packet", position)
        kind, source, size, _, overflow, capacity, number, _ = HEADER.unpack_from(data, position)
        if kind >= 2**15:
            raise BadRecording("event-type", f"a packet of type 0x{kind:04X} is compressed", position)
        if number > capacity or size == 0 or (kind == POLARITY and size != EVENT.itemsize):
            message = f"a packet claims {number} of {capacity} events of {size} bytes"
            raise BadRecording("count", message, position)
        begin = position + HEADER.size
        if capacity * size > len(data) - begin:
            message = f"a packet of {capacity} events of {size} bytes goes beyond the end of the file"
            raise BadRecording("truncated", message, position)
        yield begin, kind, source, overflow, number
        position = begin + capacity * size
