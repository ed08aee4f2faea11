"""The `labels_csv` layout: a table `labels.csv` in the root names every recording, or `windows.csv` every interval."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path, PurePosixPath

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.split_names import NO_SPLIT, SPLIT_NAMES
from spikinghash.errors import ConfigError

TABLE = "labels.csv"
WINDOWS = "windows.csv"
REQUIRED = ("file", "label")
#: Further columns of `windows.csv`: first time of the interval and first time after it, in microseconds.
TIMES = ("t_start_us", "t_end_us")

Row = dict[str, str | None]


def find_listed(root: Path) -> list[Recording]:
    """Recordings listed in `labels.csv`: columns file, label, and optionally split, width, height; others are ignored.

    If there is a `windows.csv`, it lists the recordings instead: the same columns and t_start_us, t_end_us, one row per
    interval t_start_us <= t < t_end_us, several per file. Each becomes a recording `file@start-end` (both inclusive);
    a sensor size it does not state is that of the file in `labels.csv`, which may then be missing.
    A listed file that is missing is still returned: reading it fails and is recorded like any other bad file.
    Raises `ConfigError` for a missing table or column, bad numbers or splits, and paths that leave the root.
    """
    table, windows = root / TABLE, root / WINDOWS
    if not windows.is_file():
        return [_recording(root, row, where) for row, where in _rows(table, REQUIRED)]
    files = [_recording(root, row, where) for row, where in _rows(table, REQUIRED)] if table.is_file() else []
    sensors = {recording.recording_id: recording.sensor for recording in files}
    return [_interval(root, row, where, sensors) for row, where in _rows(windows, REQUIRED + TIMES)]


def _rows(table: Path, required: tuple[str, ...]) -> list[tuple[Row, str]]:
    """Rows of a table, each with the words that say where it stands."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in required if name not in (reader.fieldnames or ())]
            if missing:
                raise ConfigError(f"{table}: no column {missing[0]!r}; needed are {', '.join(required)}")
            return [(row, f"{table} line {reader.line_num}") for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"cannot read {table}: {error}; the layout labels_csv needs it") from error


def _interval(root: Path, row: Row, where: str, sensors: dict[str, tuple[int, int] | None]) -> Recording:
    file = _recording(root, row, where)
    try:
        start, end = (int(row[name] or "") for name in TIMES)
    except ValueError as error:
        raise ConfigError(f"{where}: {' and '.join(TIMES)} must be whole microseconds") from error
    if not 0 <= start < end:
        raise ConfigError(f"{where}: the interval from {start} to before {end} us is empty or starts before 0")
    sensor = file.sensor or sensors.get(file.recording_id)
    return replace(file, sensor=sensor).interval(start, end - 1)


def _recording(root: Path, row: Row, where: str) -> Recording:
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


def _sensor(row: Row, where: str) -> tuple[int, int] | None:
    width, height = row.get("width") or "", row.get("height") or ""
    if not width and not height:
        return None
    try:
        return int(width), int(height)
    except ValueError as error:
        raise ConfigError(f"{where}: width and height must be whole numbers, not {width!r}, {height!r}") from error
