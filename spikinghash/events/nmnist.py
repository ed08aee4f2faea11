"""N-MNIST and N-Caltech101 `.bin`, SLAYER `.bs2`: 5-byte big-endian records without a header.

Record (Orchard et al. 2015, "Converting static image datasets to spiking neuromorphic datasets using saccades",
doi:10.3389/fnins.2015.00437): x, y, then bit 23 polarity (1 = ON) and a 23-bit time in microseconds. A record with
y = 240 is no event: it adds 2^13 us to its own and all later times, as in `tonic.io.read_mnist_file`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.rules import ONE_OFF_SENSOR_IN
from spikinghash.events.validate import smallest_sensor, validate

NAME = "nmnist"
RECORD_BYTES = 5
SENSOR = (34, 34)
OVERFLOW_Y = 240
OVERFLOW_US = 2**13
MAX_TIME_US = 2**23 - 1

Raw = tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.intp]]


def looks_like(head: bytes, size: int) -> bool:
    """Whether the first bytes of a file of `size` bytes are plausible records; the format has no magic number.

    Plausible: not blank, and times that step back in at most one record in ten, or every coordinate inside 34x34
    (so a shuffled N-MNIST file is refused for its time order, not as unknown). A partial record at the end is allowed.
    """
    whole = len(head) // RECORD_BYTES
    if whole < 2:
        return size > 0
    if not any(head):
        return False
    t, x, y, _, _ = _decode(head[: whole * RECORD_BYTES])
    if t.size == 0:
        return False
    backward = int(np.count_nonzero(t[1:] < t[:-1]))
    return backward * 10 <= t.size or int(max(x.max(), y.max())) < min(SENSOR)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    The sensor size is not in the file. Without `options.sensor` it is 34x34 if at most 0.1 % of the events
    lie outside of that (they are then dropped and counted), else the smallest sensor that holds all coordinates.
    Raises `BadRecording`: empty, truncated (offset of the incomplete record), and what `validate` refuses.
    """
    if not data:
        raise BadRecording("empty", "the file has no bytes", 0)
    whole = len(data) // RECORD_BYTES * RECORD_BYTES
    if whole != len(data):
        message = f"the last record has {len(data) - whole} of {RECORD_BYTES} bytes"
        raise BadRecording("truncated", f"{message}; copy the file again from its source", whole)
    t, x, y, p, index = _decode(data)
    size = _guess_sensor(x, y) if options.sensor is None else options.sensor
    return validate(t, x, y, p, sensor=size, format=NAME, offset_of=lambda i: int(index[i]) * RECORD_BYTES)


def write(path: Path, events: Events) -> None:
    """Write events as records; reading the file gives the same columns back.

    Raises `ValueError` for what the format cannot hold: x over 255, y over 239, times over 2^23 - 1 us.
    """
    path.write_bytes(to_bytes(events))


def to_bytes(events: Events) -> bytes:
    """Return the content `write` would store: 5 bytes an event."""
    if events.count == 0:
        raise ValueError("a recording needs at least one event")
    if int(events.x.max()) > 255 or int(events.y.max()) >= OVERFLOW_Y or events.t_last_us > MAX_TIME_US:
        raise ValueError("N-MNIST records hold x <= 255, y <= 239 and times below 2^23 us")
    out = np.empty((events.count, RECORD_BYTES), dtype=np.uint8)
    out[:, 0] = events.x
    out[:, 1] = events.y
    out[:, 2] = (events.p.astype(np.int64) << 7) | (events.t >> 16)
    out[:, 3] = (events.t >> 8) & 255
    out[:, 4] = events.t & 255
    return out.tobytes()


def _decode(data: bytes) -> Raw:
    """Columns t, x, y, p of the events among the records, and the record number of each."""
    records = np.frombuffer(data, dtype=np.uint8).reshape(-1, RECORD_BYTES)
    wide = records[:, 2:].astype(np.int64)
    t = ((wide[:, 0] & 127) << 16) | (wide[:, 1] << 8) | wide[:, 2]
    overflow = records[:, 1] == OVERFLOW_Y
    t += np.cumsum(overflow) * OVERFLOW_US
    index = np.flatnonzero(~overflow)
    return t[index], records[index, 0], records[index, 1], records[index, 2] >> 7, index


def _guess_sensor(x: NDArray[np.uint8], y: NDArray[np.uint8]) -> tuple[int, int]:
    outside = int(np.count_nonzero((x >= SENSOR[0]) | (y >= SENSOR[1])))
    if outside * ONE_OFF_SENSOR_IN <= x.size:
        return SENSOR
    return smallest_sensor(x, y)
