"""Event Stream `.es`, version 2: a header of 16 or 20 bytes, then a byte-wise state machine with time differences.

Described in the repository neuromorphic-paris/event_stream. Types: 1 DVS, 2 ATIS (its exposure measurements are
counted, not read), 0 generic and 4 colour hold no polarity and are refused. Times are microseconds from 0. y counts
from the bottom and is kept as stored; `ReadOptions.flip_y` turns it.
"""

from __future__ import annotations

import struct

import numpy as np

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.stated_sensor import agreed
from spikinghash.events.validate import validate

NAME = "es"
MAGIC = b"Event Stream"
HEADER_BYTES = 20
DVS, ATIS = 1, 2
_OTHER_TYPES = {0: "generic bytes", 3: "display commands", 4: "colours without polarity"}


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file starts with the words "Event Stream"."""
    return head.startswith(MAGIC)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    The sensor is `options.sensor`, else that of the header. Raises `BadRecording`: truncated (offset of the incomplete
    event), event-type (no polarity events), unknown-format (another version), and what `validate` refuses.
    """
    from spikinghash.events.es_kernel import count_es, decode_es

    kind, sensor = _header(data)
    stream = np.frombuffer(data, dtype=np.uint8, offset=HEADER_BYTES)
    atis = kind == ATIS
    room, exposures, tail = count_es(stream, atis)
    if tail >= 0:
        raise BadRecording("truncated", "the last event is not complete", HEADER_BYTES + tail)
    out = tuple(np.empty(room, dtype=dtype) for dtype in (np.int64, np.uint16, np.uint16, np.uint8))
    decode_es(stream, atis, out, room)

    def offset_of(index: int) -> int:
        scratch = tuple(np.empty(index + 1, dtype=column.dtype) for column in out)
        return HEADER_BYTES + int(decode_es(stream, atis, scratch, index + 1))

    size = agreed(options.sensor, sensor) or sensor
    return validate(*out, sensor=size, format=NAME, offset_of=offset_of, skipped={"exposure": exposures})


def _header(data: bytes) -> tuple[int, tuple[int, int]]:
    """Type of the stream and (width, height)."""
    if len(data) >= 13 and data[12] != 2:
        raise BadRecording("unknown-format", f"Event Stream version {data[12]}; version 2 is read", 12)
    if len(data) >= 16 and data[15] not in (DVS, ATIS):
        what = _OTHER_TYPES.get(data[15], "an unknown type")
        raise BadRecording("event-type", f"the stream is of type {data[15]}, {what}, not polarity events", 15)
    if len(data) < HEADER_BYTES:
        raise BadRecording("truncated", "the file ends inside its header", len(data))
    width, height = struct.unpack_from("<HH", data, 16)
    return data[15], (width, height)
