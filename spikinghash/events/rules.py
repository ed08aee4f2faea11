"""What the events of a recording must be, counted over block after block; the refusals need the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording

Column = NDArray[Any]
#: Makes the refusal of a reason, a message and the number of the event that it is about.
Refuse = Callable[[str, str, int], BadRecording]

MAX_SIDE_PX = 4096
MAX_LATE_US = 1_000
MAX_SPAN_US = 24 * 3600 * 1_000_000
#: One in this many steps may go back in time; one in this many events may lie off the sensor.
ONE_BACKWARD_IN = 100
ONE_OFF_SENSOR_IN = 1_000


def check_columns(columns: tuple[Column, ...]) -> None:
    """Raise `BadRecording` (dtype, count) for columns t, x, y, p that are not integers [N] of one N."""
    for name, column in zip("txyp", columns, strict=True):
        if column.dtype.kind not in ("iub" if name == "p" else "iu"):
            raise BadRecording("dtype", f"column {name} holds {column.dtype}, not integers")
    sizes = [column.size for column in columns]
    if len(set(sizes)) != 1 or any(column.ndim != 1 for column in columns):
        raise BadRecording("count", f"columns t, x, y, p differ in length: {sizes}")


def check_sensor(sensor: tuple[int, int]) -> tuple[int, int]:
    """Return (width, height) in pixels as given; raises `BadRecording("sensor")` outside 1..4096."""
    width, height = sensor
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX):
        raise BadRecording("sensor", f"sensor size {width}x{height} is outside 1x1 to {MAX_SIDE_PX}x{MAX_SIDE_PX}")
    return width, height


class Times:
    """Times of all events so far: which are negative, how far they reach, how often and how far they go back.

    How late an event is counts from the greatest time before it.
    """

    def __init__(self) -> None:
        self.seen = self.backward = self.late = 0
        self.earliest = self.latest = self.before = 0
        self.first_latest = self.first_backward = 0
        self.negative: tuple[int, int] | None = None

    @property
    def hopeless(self) -> bool:
        """Whether the recording will be refused for what is known already."""
        return self.negative is not None or self.late > MAX_LATE_US

    def add(self, t: NDArray[np.int64]) -> bool:
        """Take the next times [N]; whether one of them is earlier than one before it, here or in an earlier block."""
        if not t.size:
            return False
        lowest, highest = int(t.min()), int(t.max())
        if lowest < 0 and self.negative is None:
            first = int(np.argmax(t < 0))
            self.negative = self.seen + first, int(t[first])
        steps = t[1:] < t[:-1]
        count = int(np.count_nonzero(steps)) + (self.seen > 0 and int(t[0]) < self.before)
        reached = self.latest if self.seen else int(t[0])
        if count:
            if not self.backward:
                here = self.seen > 0 and int(t[0]) < self.before
                self.first_backward = self.seen + (0 if here else int(np.argmax(steps)) + 1)
            self.late = max(self.late, int((np.maximum(np.maximum.accumulate(t), reached) - t).max()))
        disturbed = bool(count) or int(t[0]) < reached
        if not self.seen or highest > self.latest:
            self.latest, self.first_latest = highest, self.seen + int(np.argmax(t))
        self.earliest = min(self.earliest, lowest) if self.seen else lowest
        self.backward += count
        self.before, self.seen = int(t[-1]), self.seen + t.size
        return disturbed

    def finish(self, count: int, refuse: Refuse) -> None:
        """Raise `BadRecording`: time-negative, time-span, time-order."""
        if self.negative is not None:
            first, time = self.negative
            raise refuse("time-negative", f"event {first} has time {time} us", first)
        if self.latest - self.earliest > MAX_SPAN_US:
            raise refuse("time-span", "the recording spans more than 24 hours", self.first_latest)
        if self.backward * ONE_BACKWARD_IN > count or self.late > MAX_LATE_US:
            rule = f"at most 1 % of steps may go back, each within {MAX_LATE_US} us"
            message = f"{self.backward} of {count} events go back in time, by up to {self.late} us; {rule}"
            raise refuse("time-order", message, self.first_backward)


class Coordinates:
    """How many events lie off a sensor (width, height)."""

    def __init__(self, sensor: tuple[int, int]) -> None:
        self.sensor = sensor
        self.seen = self.off = 0
        self.first: tuple[int, int, int] | None = None
        #: There is no such sensor, so that nothing can be handed on.
        self.hopeless = not all(1 <= side <= MAX_SIDE_PX for side in sensor)

    def add(self, x: Column, y: Column) -> NDArray[np.bool_] | None:
        """Which of the next events lie off the sensor; None for none."""
        bad: NDArray[np.bool_] = x >= self.sensor[0]
        bad |= y >= self.sensor[1]
        for column in (x, y):
            if column.dtype.kind == "i":
                bad |= column < 0
        count = int(np.count_nonzero(bad))
        if count and self.first is None:
            index = int(np.argmax(bad))
            self.first = self.seen + index, int(x[index]), int(y[index])
        self.seen, self.off = self.seen + x.size, self.off + count
        return bad if count else None

    def finish(self, count: int, refuse: Refuse) -> dict[str, int]:
        """What is dropped; raises `BadRecording("coordinate")`."""
        if self.first is None:
            return {}
        if self.off * ONE_OFF_SENSOR_IN > count:
            first, x, y = self.first
            width, height = self.sensor
            message = f"{self.off} of {count} events lie off the {width}x{height} sensor, the first at x={x}, y={y}"
            raise refuse("coordinate", f"{message}; more than 0.1 %; give the right sensor size", first)
        return {"coordinate": self.off}


class Polarities:
    """Polarities of all events so far: {0, 1} or {-1, 1}; both conventions in one file are refused."""

    def __init__(self) -> None:
        self.seen = 0
        self.minus = False
        self.zero: int | None = None
        self.strange: tuple[int, int] | None = None

    def add(self, p: Column) -> NDArray[np.uint8]:
        """The next polarities [N] as 1 and 0."""
        signed = p.dtype.kind == "i"
        wrong = (p < -1) | (p > 1) if signed else p > 1
        if self.strange is None and wrong.any():
            first = int(np.argmax(wrong))
            self.strange = self.seen + first, int(p[first])
        if signed:
            self.minus = self.minus or bool((p == -1).any())
            if self.zero is None and (p == 0).any():
                self.zero = self.seen + int(np.argmax(p == 0))
        self.seen += p.size
        return (p > 0).view(np.uint8)

    def finish(self, refuse: Refuse) -> None:
        """Raise `BadRecording("polarity")`."""
        found = self.strange
        if found is None and self.minus and self.zero is not None:
            found = self.zero, 0
        if found is not None:
            first, value = found
            raise refuse("polarity", f"event {first} has polarity {value}; allowed are 0, 1 or -1, 1", first)
