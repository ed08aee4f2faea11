"""The `labels_csv` layout: a table `labels.csv` in the root names every recording."""

from __future__ import annotations

import csv
from pathlib import Path, PurePosixPath

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.split_names import NO_SPLIT, SPLIT_NAMES
from spikinghash.errors import ConfigError

TABLE = "labels.csv"
REQUIRED = ("file", "label")


def find_listed(root: Path) -> list[Recording]:
    """Recordings listed in `labels.csv`: columns file, label, and optionally split, width, height; others are ignored.

    A listed file that is missing is still returned: reading it fails and is recorded like any other bad file.
    Raises `ConfigError` for a missing table or column, bad numbers or splits, and paths that leave the root.
    """
    table = root / TABLE
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
            if missing:
                raise ConfigError(f"{table}: no column {missing[0]!r}; needed are {', '.join(REQUIRED)}")
            return [_recording(root, row, f"{table} line {reader.line_num}") for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"cannot read {table}: {error}; the layout labels_csv needs it") from error


def _recording(root: Path, row: dict[str, str | None], where: str) -> Recording:
    split = (row.get("split") or "").strip()
    if split not in SPLIT_NAMES and split not in NO_SPLIT:
        raise ConfigError(f"{where}: unknown split {split!r}; known are: {', '.join(SPLIT_NAMES)}, all")
    relative = _inside(root, row["file"] or "", where)
    return Recording(
        recording_id=str(relative),
        path=root / relative,
        label=(row["label"] or "").strip() or None,
        split=SPLIT_NAMES.get(split),
        sensor=_sensor(row, where),
    )


def _inside(root: Path, file: str, where: str) -> PurePosixPath:
    """The listed path, if it stays below the root also after following links on the way to the file."""
    relative = PurePosixPath(file.strip())
    if not file.strip() or "\0" in file:
        raise ConfigError(f"{where}: no file name")
    leaves = relative.is_absolute() or ".." in relative.parts
    if leaves or not (root / relative).parent.resolve().is_relative_to(root.resolve()):
        raise ConfigError(f"{where}: {file!r} leads out of the data folder; move the recording below {root}")
    return relative


def _sensor(row: dict[str, str | None], where: str) -> tuple[int, int] | None:
    width, height = row.get("width") or "", row.get("height") or ""
    if not width and not height:
        return None
    try:
        return int(width), int(height)
    except ValueError as error:
        raise ConfigError(f"{where}: width and height must be whole numbers, not {width!r}, {height!r}") from error
