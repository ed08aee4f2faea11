"""The door between decoded columns and `Events`: what is repaired, what is counted, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.block_checks import BlockChecks
from spikinghash.events.events import Events
from spikinghash.events.rules import MAX_SIDE_PX, check_columns

#: What readers leave out because it is no polarity event, and count: frames or their words, inertial measurements,
#: trigger and synchronisation inputs, words of the camera vendor, events marked invalid by the camera, ATIS exposure
#: measurements, events before the first time, events of further cameras in the file, anything else that is named.
SKIPPED = ("aps", "imu", "external", "vendor", "invalid", "exposure", "untimed", "other-stream", "other")


def validate(
    t: NDArray[Any],
    x: NDArray[Any],
    y: NDArray[Any],
    p: NDArray[Any],
    *,
    sensor: tuple[int, int],
    format: str,
    offset_of: Callable[[int], int] | None = None,
    skipped: Mapping[str, int] | None = None,
    give_away: bool = False,
) -> Events:
    """Turn decoded columns [N] into valid `Events`; the given arrays are never changed.

    With `give_away` the events may share the memory of the given arrays, which nobody else then writes to.

    `t` is in microseconds, `p` in {0, 1} or {-1, 1}, `sensor` is (width, height) in pixels. `offset_of` gives the
    byte where event number i stands in the file, for error messages. `skipped` counts, by a name of `SKIPPED`, what the
    reader met in the file and left out before this; it joins `dropped`. Rules are those of `specs/anchors.md` 5.4 E.
    Raises `BadRecording`: count, dtype, no-events, sensor, time-negative, time-span, time-order, polarity, coordinate.
    """
    check_columns((t, x, y, p))
    # all of it is one block, and the last one
    checks = BlockChecks(sensor, format)
    events = checks.add(t, x, y, p, last=True, give_away=give_away)
    facts = checks.finish(offset_of, skipped or {})
    return replace(events, dropped=facts.dropped, reordered=facts.reordered)


class SmallestSensor:
    """The smallest sensor that holds all coordinates, where neither file nor user says one."""

    def __init__(self) -> None:
        self.seen = self.width = self.height = 0
        #: Number, x and y of the event with the greatest x, and of that with the greatest y.
        self.widest = self.highest = (0, 0, 0)

    def add(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        """Take the coordinates [N] of the next events."""
        if x.size == 0 or y.size == 0:
            return
        for side, column in (("width", x), ("height", y)):
            largest = max(int(column.max()), 0) + 1
            if largest > getattr(self, side):
                setattr(self, side, largest)
                first = int(np.argmax(column))
                where = self.seen + first, int(x[first]), int(y[first])
                if side == "width":
                    self.widest = where
                else:
                    self.highest = where
        self.seen += x.size

    def sensor(self) -> tuple[int, int]:
        """(width, height), at least 1x1; raises `BadRecording("sensor")` beyond the largest sensor there is."""
        if max(self.width, self.height) > MAX_SIDE_PX:
            first, x, y = self.widest if self.width > MAX_SIDE_PX else self.highest
            where = f"event {first} lies at x={x}, y={y}"
            raise BadRecording("sensor", f"{where}, beyond any sensor; if it is a stray, give the sensor size")
        return max(self.width, 1), max(self.height, 1)


def smallest_sensor(x: NDArray[Any], y: NDArray[Any]) -> tuple[int, int]:
    """As `SmallestSensor`, of all coordinates [N] at once."""
    smallest = SmallestSensor()
    smallest.add(x, y)
    return smallest.sensor()
