"""The CSV files that plots are drawn from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadStore

Column = NDArray[np.float64]


class Series:
    """Named columns of one CSV file."""

    def __init__(self, path: Path, columns: dict[str, list[str]], stage: str) -> None:
        self.path = path
        self._columns = columns
        self._stage = stage

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def texts(self, name: str) -> list[str]:
        """A column as it stands."""
        return self._columns[name]

    def numbers(self, name: str) -> Column:
        """A column as float64, NaN where a cell is empty or not finite; `BadStore` if one is no number."""
        try:
            values = np.array([float(text) if text else np.nan for text in self._columns[name]], dtype=np.float64)
        except ValueError as error:
            raise BadStore(f"{self.path}: column {name}: {error}; run the stage {self._stage} again") from None
        return np.where(np.isfinite(values), values, np.nan)


def read_series(path: Path, needed: Sequence[str], stage: str) -> Series | None:
    """Read a CSV file with a header, None if it is missing or has no rows.

    Raises `BadStore`, naming `stage`, if it is damaged or lacks one of the columns `needed`.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, csv.Error) as error:
        raise BadStore(f"cannot read {path}: {error}; run the stage {stage} again") from error
    head, body = (rows[0], [row for row in rows[1:] if row]) if rows else ([], [])
    missing = [name for name in needed if name not in head]
    if missing or any(len(row) != len(head) for row in body):
        wrong = f"no column {missing[0]}" if missing else "a row is longer or shorter than the header"
        raise BadStore(f"{path}: {wrong}; run the stage {stage} again")
    columns = {name: [row[place] for row in body] for place, name in enumerate(head)}
    return Series(path, columns, stage) if body else None
