"""Tables of events, whatever container they stand in: which column is which, exact integers, microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.events.options import TIME_UNITS, ReadOptions
from spikinghash.events.stated_sensor import agreed
from spikinghash.events.validate import smallest_sensor, validate

#: Names of the columns in the data sets and libraries we know, lower case.
ALIASES = {
    "t": ("t", "ts", "timestamp", "timestamps", "time", "t_us"),
    "x": ("x", "xs"),
    "y": ("y", "ys"),
    "p": ("p", "pol", "ps", "polarity", "polarities", "on"),
}
#: Beyond this a float64 is not exact.
EXACT_FLOAT = 2.0**53
NS_PER_US = 1_000

T = TypeVar("T")


def pick_columns(named: Mapping[str, T]) -> dict[str, T] | None:
    """The four columns by the names t, x, y, p, or None if one of them is missing."""
    lower = {name.lower(): value for name, value in named.items()}
    found = {}
    for role, aliases in ALIASES.items():
        for alias in aliases:
            if alias in lower:
                found[role] = lower[alias]
                break
    return found if len(found) == len(ALIASES) else None


def events_from(
    columns: Mapping[str, NDArray[Any]],
    options: ReadOptions,
    *,
    format: str,
    sensor: tuple[int, int] | None = None,
    time_unit: str = "us",
    offset_us: int = 0,
) -> Events:
    """Build `Events` from columns t, x, y, p of shape [N], [N, 1] or [1, N].

    `time_unit` is that of the container, `options.time_unit` overrides it; `offset_us` is added to all times. The
    sensor is `options.sensor`, else `sensor`, else the smallest that holds all coordinates. Floats are taken only
    where they are integers, times also where a unit above 1 us was named; they are then rounded to microseconds.
    Raises `BadRecording`: pickle, dtype, and what `validate` refuses.
    """
    flat = {role: _flat(role, columns[role]) for role in ALIASES}
    x, y, p = (integers(role, flat[role]) for role in "xyp")
    t = _microseconds(flat["t"], options.time_unit or time_unit, named=options.time_unit is not None)
    size = agreed(options.sensor, sensor) or smallest_sensor(x, y)
    return validate(_shifted(t, offset_us), x, y, p, sensor=size, format=format)


def integers(role: str, column: NDArray[Any]) -> NDArray[Any]:
    """The column with an integer type and the same values; raises `BadRecording`: pickle, dtype."""
    if column.dtype.hasobject:
        raise BadRecording("pickle", f"column {role} holds Python objects, which are never unpickled")
    if column.dtype.kind in "iub":
        return column
    if column.dtype.kind != "f":
        raise BadRecording("dtype", f"column {role} holds {column.dtype}, not numbers")
    exact = 2.0 ** (np.finfo(column.dtype).nmant + 1)
    whole = np.isfinite(column) & (np.abs(column) <= min(exact, EXACT_FLOAT))
    if not whole.all() or (column != np.rint(column)).any():
        raise BadRecording("dtype", f"column {role} holds {column.dtype} that are not exact integers; store integers")
    return column.astype(np.int64)


def seconds_to_us(t: NDArray[Any], unit: str) -> NDArray[np.int64]:
    """Float64 times in `unit` rounded to whole microseconds; raises `BadRecording("dtype")` for float32, NaN, huge."""
    if t.dtype != np.float64:
        raise BadRecording("dtype", f"times are {t.dtype}, too coarse for microseconds; store float64 or integers")
    scaled = t * (TIME_UNITS[unit] / NS_PER_US)
    if not (np.isfinite(scaled) & (np.abs(scaled) < EXACT_FLOAT)).all():
        raise BadRecording("dtype", "times are not finite or too large for whole microseconds")
    return np.rint(scaled).astype(np.int64)


def _microseconds(t: NDArray[Any], unit: str, *, named: bool) -> NDArray[Any]:
    # a container known for seconds stores fractions; elsewhere only the user can say that fractions are meant
    if t.dtype.kind == "f" and unit != "us" and (named or unit == "s"):
        return seconds_to_us(t, unit)
    t = integers("t", t)
    if unit == "us" or t.size == 0:
        return t
    if max(abs(int(t.max())), abs(int(t.min()))) > 2**62 * NS_PER_US // TIME_UNITS[unit] or int(t.max()) >= 2**63:
        raise BadRecording("time-span", f"times are too large to be {unit}")
    if TIME_UNITS[unit] < NS_PER_US:
        return np.floor_divide(t.astype(np.int64), NS_PER_US // TIME_UNITS[unit])
    return t.astype(np.int64) * (TIME_UNITS[unit] // NS_PER_US)


def _shifted(t: NDArray[Any], offset_us: int) -> NDArray[Any]:
    if offset_us == 0 or t.size == 0:
        return t
    if int(t.max()) > 2**62 or abs(offset_us) > 2**61:
        raise BadRecording("time-span", f"times up to {t.max()} us and an offset of {offset_us} us do not fit 64 bits")
    return t.astype(np.int64) + offset_us


def _flat(role: str, column: NDArray[Any]) -> NDArray[Any]:
    if column.ndim == 2 and 1 in column.shape:
        return column.reshape(-1)
    if column.ndim != 1:
        raise BadRecording("count", f"column {role} has the shape {column.shape}, not one value an event")
    return column
