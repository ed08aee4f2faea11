"""What all clips of a store must have in common: one sensor size, one way of turning the picture."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikinghash.datasets.recording import Recording
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.collect import facts_of
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.rules import MAX_SIDE_PX
from spikinghash.events.source import open_source
from spikinghash.frames.clips import Decode

Sensor = tuple[int, int]


def one_sensor(
    root: Path, recordings: list[Recording], given: Sensor | None, format: str | None, decode: Decode
) -> Sensor:
    """(width, height): the given one, else what the data set states, else that of the first good recording.

    Raises `ConfigError` for several stated sizes and for an impossible one.
    """
    width, height = given or stated_sensor(recordings) or _first_sensor(root, recordings, format, decode)
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX):
        raise ConfigError(f"sensor size {width}x{height} is outside 1x1 to {MAX_SIDE_PX}x{MAX_SIDE_PX}")
    return width, height


def one_reading(recordings: list[Recording]) -> dict[str, Any]:
    """The options, other than the defaults and the sensor, with which recordings are read: part of what shapes a clip.

    Raises `ConfigError` if recordings differ in them, which no layout of ours does.
    """
    readings = {recording.options for recording in recordings}
    if len(readings) > 1:
        raise ConfigError(f"the data set's recordings are to be read in {len(readings)} different ways; divide it")
    plain = asdict(DEFAULTS)
    said = asdict(readings.pop() if readings else ReadOptions())
    return {name: value for name, value in said.items() if name != "sensor" and value != plain[name]}


def stated_sensor(recordings: list[Recording]) -> Sensor | None:
    """(width, height) that the data set states; raises `ConfigError` for several."""
    stated = {recording.sensor for recording in recordings if recording.sensor is not None}
    if len(stated) > 1:
        raise ConfigError(f"the data set states sensors of different sizes, {sorted(stated)}; give one as `sensor`")
    return stated.pop() if stated else None


def _first_sensor(root: Path, recordings: list[Recording], format: str | None, decode: Decode) -> Sensor:
    for recording in recordings:
        try:
            found = decode(open_source(recording.path, data_set=root), format=format, options=recording.options)
            facts = facts_of(found.blocks())
        except BadRecording:
            continue
        return facts.width, facts.height
    # no file can be read: the caller meets each of them again and enters why in the ledger
    return 1, 1
