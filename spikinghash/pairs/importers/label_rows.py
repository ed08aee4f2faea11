"""Labels of one sample from numbers: a row of 0 and 1, or one number of a class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError


def read_names(folder: Path, given: str | Sequence[str] | None) -> Sequence[str] | None:
    """Names of labels: as they are given, or out of a JSON file in `folder` with a list, perhaps under `labels`."""
    if not isinstance(given, str):
        return given
    place = folder / given
    try:
        content = json.loads(place.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the names of labels {place}: {' '.join(str(error).split())}") from None
    content = content.get("labels") if isinstance(content, dict) else content
    if not isinstance(content, list) or not all(isinstance(name, str) for name in content):
        raise ConfigError(f"{place}: no list of names, nor one under `labels`")
    return content


def name_of(value: Any, names: Sequence[str] | None, where: str) -> str:
    """The name of class number `value`: itself as text without names. `where` begins the line of a `ConfigError`."""
    if names is None or isinstance(value, str):
        return str(value)
    if not isinstance(value, int) or not 0 <= value < len(names):
        raise ConfigError(f"{where}: the label {value!r} is no number of one of {len(names)} names")
    return names[value]


def names_of_row(row: NDArray[Any], names: Sequence[str] | None, where: str) -> tuple[str, ...]:
    """Labels of a row [L] of 0 and 1, by name or as the number of their place, 0-based."""
    if row.ndim != 1 or not np.isin(row, (0, 1)).all():
        raise ConfigError(f"{where}: the labels are no row of 0 and 1")
    if names is not None and len(names) != len(row):
        raise ConfigError(f"{where}: {len(row)} labels and {len(names)} names do not go together")
    return tuple(name_of(int(place), names, where) for place in np.flatnonzero(row))
