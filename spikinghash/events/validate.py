"""The door between decoded columns and `Events`: what is repaired, what is counted, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events

Columns = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]

MAX_SIDE_PX = 4096
MAX_LATE_US = 1_000
MAX_SPAN_US = 24 * 3600 * 1_000_000
#: One in this many steps may go back in time; one in this many events may lie off the sensor.
ONE_BACKWARD_IN = 100
ONE_OFF_SENSOR_IN = 1_000

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
    columns = (t, x, y, p)
    _check_columns(columns)
    width, height = check_sensor(sensor)

    def refuse(reason: str, message: str, index: int) -> BadRecording:
        return BadRecording(reason, message, None if offset_of is None else offset_of(index))

    order, reordered = _time_order(np.asarray(t).astype(np.int64, copy=False), refuse)
    bad = _off_sensor(x, y, width, height)
    dropped = {name: count for name, count in (skipped or {}).items() if count}
    off_sensor = _count_off_sensor(bad, (x, y), (width, height), refuse)
    dropped |= off_sensor
    on = _polarity(p, refuse)
    # most recordings are in order and inside the sensor: then nothing is gathered
    keep: NDArray[np.intp] | slice = slice(None)
    if reordered:
        keep = order[~bad[order]]
    elif off_sensor:
        keep = np.flatnonzero(~bad)
    copy = not give_away
    arrays = (
        t[keep].astype(np.int64, copy=copy), x[keep].astype(np.uint16, copy=copy),
        y[keep].astype(np.uint16, copy=copy), on[keep],
    )  # fmt: skip
    for array in arrays:
        array.flags.writeable = False
    return Events(*arrays, width=width, height=height, format=format, dropped=dropped, reordered=reordered)


def _off_sensor(x: NDArray[Any], y: NDArray[Any], width: int, height: int) -> NDArray[np.bool_]:
    """Which events lie off the sensor; the large arrays of a long recording are not made twice."""
    bad: NDArray[np.bool_] = x >= width
    bad |= y >= height
    for column in (x, y):
        if column.dtype.kind == "i":
            bad |= column < 0
    return bad


def check_sensor(sensor: tuple[int, int]) -> tuple[int, int]:
    """Return (width, height) in pixels as given; raises `BadRecording("sensor")` outside 1..4096."""
    width, height = sensor
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX):
        raise BadRecording("sensor", f"sensor size {width}x{height} is outside 1x1 to {MAX_SIDE_PX}x{MAX_SIDE_PX}")
    return width, height


def smallest_sensor(x: NDArray[Any], y: NDArray[Any]) -> tuple[int, int]:
    """Smallest (width, height) that holds all coordinates, where neither file nor user says; at least 1x1.

    Raises `BadRecording("sensor")` beyond the largest sensor there is.
    """
    if x.size == 0 or y.size == 0:
        return 1, 1
    width, height = max(int(x.max()), 0) + 1, max(int(y.max()), 0) + 1
    if max(width, height) > MAX_SIDE_PX:
        first = int(np.argmax(x if width > MAX_SIDE_PX else y))
        where = f"event {first} lies at x={x[first]}, y={y[first] if first < y.size else '?'}"
        raise BadRecording("sensor", f"{where}, beyond any sensor; if it is a stray, give the sensor size")
    return width, height


def _check_columns(columns: Columns) -> None:
    for name, column in zip("txyp", columns, strict=True):
        if column.dtype.kind not in ("iub" if name == "p" else "iu"):
            raise BadRecording("dtype", f"column {name} holds {column.dtype}, not integers")
    sizes = [column.size for column in columns]
    if len(set(sizes)) != 1 or any(column.ndim != 1 for column in columns):
        raise BadRecording("count", f"columns t, x, y, p differ in length: {sizes}")
    if sizes[0] == 0:
        raise BadRecording("no-events", "the file holds no events")


Refuse = Callable[[str, str, int], BadRecording]


def _time_order(t: NDArray[np.int64], refuse: Refuse) -> tuple[NDArray[np.intp], int]:
    """Order that sorts `t` stably, empty if it is sorted, and the number of backward steps.

    How late an event is counts from the greatest time before it.
    """
    if (t < 0).any():
        first = int(np.argmax(t < 0))
        raise refuse("time-negative", f"event {first} has time {t[first]} us", first)
    if int(t.max()) - int(t.min()) > MAX_SPAN_US:
        raise refuse("time-span", "the recording spans more than 24 hours", int(np.argmax(t)))
    backward = t[1:] < t[:-1]
    steps = int(np.count_nonzero(backward))
    if steps == 0:
        return np.empty(0, dtype=np.intp), 0
    late = np.maximum.accumulate(t) - t
    if steps * ONE_BACKWARD_IN > t.size or int(late.max()) > MAX_LATE_US:
        first = int(np.argmax(backward)) + 1
        rule = f"at most 1 % of steps may go back, each within {MAX_LATE_US} us"
        raise refuse(
            "time-order", f"{steps} of {t.size} events go back in time, by up to {late.max()} us; {rule}", first
        )
    return np.argsort(t, kind="stable"), steps


def _count_off_sensor(
    bad: NDArray[np.bool_], xy: tuple[NDArray[Any], NDArray[Any]], sensor: tuple[int, int], refuse: Refuse
) -> dict[str, int]:
    count = int(np.count_nonzero(bad))
    if count == 0:
        return {}
    first = int(np.argmax(bad))
    if count * ONE_OFF_SENSOR_IN > bad.size:
        where = f"the first at x={xy[0][first]}, y={xy[1][first]}"
        message = f"{count} of {bad.size} events lie off the {sensor[0]}x{sensor[1]} sensor, {where}; more than 0.1 %"
        raise refuse("coordinate", f"{message}; give the right sensor size", first)
    return {"coordinate": count}


def _polarity(p: NDArray[Any], refuse: Refuse) -> NDArray[np.uint8]:
    """Map {0, 1} and {-1, 1} to {0, 1}; both conventions in one file are refused."""
    wrong = (p < -1) | (p > 1) if p.dtype.kind == "i" else p > 1
    if not wrong.any() and p.dtype.kind == "i" and (p == -1).any():
        wrong = p == 0
    if wrong.any():
        first = int(np.argmax(wrong))
        raise refuse("polarity", f"event {first} has polarity {p[first]}; allowed are 0, 1 or -1, 1", first)
    return (p > 0).view(np.uint8)
