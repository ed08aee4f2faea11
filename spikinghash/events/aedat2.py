"""AEDAT 2.0 of jAER: text lines, then big-endian records of an address and a time, both unsigned 32 bits.

Described in "AEDAT file formats" of inivation.com (AEDAT 2.0) and in jAER's chip classes. Which bits of an address mean
what depends on the camera, named only in the header line `# AEChip:`, which files of other programs lack.
Times are microseconds. y counts as the chip does, from the bottom.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.clock import refuse_wrap
from spikinghash.events.events import Events
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.records import whole_records
from spikinghash.events.rules import ONE_OFF_SENSOR_IN
from spikinghash.events.stated_sensor import agreed
from spikinghash.events.validate import validate

NAME = "aedat2"
MAGIC = b"#!AER-DAT2."
RECORD = np.dtype([("address", ">u4"), ("t", ">u4")])
SENSORS = {"dvs128": (128, 128), "davis240": (240, 180), "davis346": (346, 260)}

_LINE = re.compile(rb"#[\t\x20-\x7e\x80-\xff]*\r?\n")
_LAST_LINE = re.compile(rb"#\s*End Of ASCII Header", re.IGNORECASE)
_CHIP = re.compile(rb"#\s*AEChip:\s*(\S+)")
_CHIPS = (("DVS128", "dvs128"), ("TMPDIFF128", "dvs128"), ("DAVIS240", "davis240"), ("DAVIS346", "davis346"))

Fields = tuple[NDArray[Any], NDArray[Any], NDArray[Any], dict[str, NDArray[np.bool_]]]


def looks_like(head: bytes, size: int) -> bool:
    """Whether the file starts with the AEDAT 2 line."""
    return head.startswith(MAGIC)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    The layout is `options.layout`, else that of the chip in the header, else told by the addresses: DVS128 where all
    have 16 bits, DAVIS where all events lie on its sensor. APS and IMU words and external inputs are counted in
    `dropped`. Raises `BadRecording`: truncated, unknown-format (chip without a layout here), event-type (addresses
    that do not fit the layout), time-wrap, and what `validate` refuses.
    """
    start, chip = _header(data)
    records = whole_records(data, start, RECORD)
    address, t = records["address"].astype(np.uint32), records["t"].astype(np.int64)
    layout = options.layout or _layout_of(chip, address)
    sensor = agreed(options.sensor, SENSORS[layout] if chip is not None else None)
    x, y, p, skip = _dvs128(address) if layout == "dvs128" else _davis(address)
    _check_fit(skip, layout, start)
    keep = np.flatnonzero(~np.logical_or.reduce(list(skip.values())))

    def offset_of(index: int) -> int:
        return start + int(keep[index]) * RECORD.itemsize

    refuse_wrap(t[keep], offset_of)
    return validate(
        t[keep],
        x[keep],
        y[keep],
        p[keep],
        sensor=sensor or SENSORS[layout],
        format=NAME,
        offset_of=offset_of,
        skipped={name: int(np.count_nonzero(which)) for name, which in skip.items()},
    )


def _header(data: bytes) -> tuple[int, str | None]:
    """Where the records start, and the chip's class name."""
    position, chip = 0, None
    while match := _LINE.match(data, position):
        if chip is None and (named := _CHIP.match(match[0])):
            chip = named[1].decode("latin-1").rsplit(".", 1)[-1]
        position = match.end()
        if _LAST_LINE.match(match[0]):
            break
    if position == 0 and data.startswith(b"#"):
        raise BadRecording("truncated", "the first line of the header is not complete", len(data))
    return position, chip


def _layout_of(chip: str | None, address: NDArray[np.uint32]) -> str:
    step = "give its address layout: " + ", ".join(SENSORS)
    if chip is not None:
        for part, layout in _CHIPS:
            if part in chip.upper():
                return layout
        raise BadRecording("unknown-format", f"no address layout is known for the chip {chip[:60]!r}; {step}", 0)
    if address.size == 0 or int(address.max()) < 2**16:
        return "dvs128"
    x, y, _, skip = _davis(address)
    keep = ~np.logical_or.reduce(list(skip.values()))
    sides = (int(x[keep].max()), int(y[keep].max())) if keep.any() else (0, 0)
    for layout in ("davis240", "davis346"):
        if sides[0] < SENSORS[layout][0] and sides[1] < SENSORS[layout][1]:
            return layout
    raise BadRecording("unknown-format", f"the header names no chip and the addresses tell none; {step}", 0)


def _dvs128(address: NDArray[np.uint32]) -> Fields:
    """DVS128: polarity bit 0 (0 = ON), x bits 1-7, y bits 8-14, bit 15 external input."""
    other = address >= 2**16
    external = ~other & ((address >> 15) == 1)
    x, y = (address >> 1) & 0x7F, (address >> 8) & 0x7F
    return x, y, 1 - (address & 1), {"external": external, "other": other}


def _davis(address: NDArray[np.uint32]) -> Fields:
    """DAVIS: bit 31 frame or IMU word (IMU: bits 10-11 = 3); else y bits 22-30, x bits 12-21, polarity bit 11 (1 = ON).

    Bit 10 of the others marks an external input.
    """
    wordlike = (address >> 31) == 1
    imu = wordlike & (((address >> 10) & 3) == 3)
    external = ~wordlike & (((address >> 10) & 1) == 1)
    x, y = (address >> 12) & 0x3FF, (address >> 22) & 0x1FF
    return x, y, (address >> 11) & 1, {"aps": wordlike & ~imu, "imu": imu, "external": external}


def _check_fit(skip: dict[str, NDArray[np.bool_]], layout: str, start: int) -> None:
    other = skip.get("other")
    if other is not None and int(np.count_nonzero(other)) * ONE_OFF_SENSOR_IN > other.size:
        message = f"the addresses have more than the 16 bits of the layout {layout}; give another layout"
        raise BadRecording("event-type", message, start + int(np.argmax(other)) * RECORD.itemsize)
