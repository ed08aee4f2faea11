"""The header of Prophesee RAW files: which EVT encoding follows, from where, for which sensor.

Described in the Metavision documentation, "RAW file format". Old headers have `% evt 2.0` and `% system_ID 21`, newer
ones `% format EVT3;height=720;width=1280` and `% geometry 1280x720`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from spikinghash.errors import BadRecording
from spikinghash.events.options import ReadOptions
from spikinghash.events.percent_header import percent_header, sensor_in
from spikinghash.events.stated_sensor import agreed

#: Systems with VGA sensors (Gen3, Gen3.1) and with HD sensors (Gen4, Gen4.1, IMX636), as `SystemId` of OpenEB; adding
#: 128 marks the same camera behind an evaluation kit.
VGA_SYSTEMS = frozenset({0x15, 0x17, 0x19, 0x1C, 0x1D, 0x21, 0x22, 0x23, 0x28, 0x29})
HD_SYSTEMS = frozenset({0x1A, 0x1E, 0x1F, 0x20, 0x27, 0x2E, 0x30, 0x31})
_KIT = 0x80


@dataclass(frozen=True)
class EvtHeader:
    """`encoding` is "2.0", "2.1", "3.0", another text, or None; `sensor` (width, height) where known."""

    encoding: str | None
    sensor: tuple[int, int] | None
    start: int
    endianness: str | None = None


def evt_header(data: bytes) -> EvtHeader:
    """Read the header; without one everything is None and the words start at byte 0."""
    fields, start = percent_header(data)
    inline = fields.get("format", "")
    encoding = fields.get("evt")
    if match := re.match(r"EVT(\d)(\d?)(;|$)", inline):
        encoding = f"{match[1]}.{match[2] or 0}"
    elif inline:
        encoding = inline
    endianness = re.search(r"endianness=(\w+)", inline)
    system = fields.get("system_id", "")
    by_system = _sensor_of(int(system)) if re.fullmatch(r"\d{1,3}", system) else None
    sensor = sensor_in(fields) or by_system
    return EvtHeader(encoding, sensor, start, endianness[1] if endianness else None)


def sensor_of(header: EvtHeader, options: ReadOptions) -> tuple[int, int]:
    """The sensor given or in the header; raises `BadRecording("sensor")` without one, as events cannot tell it."""
    sensor = agreed(options.sensor, header.sensor)
    if sensor is None:
        raise BadRecording("sensor", "the header names no sensor size; give it as WIDTHxHEIGHT", 0)
    return sensor


def _sensor_of(system: int) -> tuple[int, int] | None:
    for systems, sensor in ((VGA_SYSTEMS, (640, 480)), (HD_SYSTEMS, (1280, 720))):
        if system in systems or (system & _KIT and system ^ _KIT in systems):
            return sensor
    return None
