"""Folder layouts: where a data set keeps its recordings, labels and splits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from spikinghash.datasets.labels_csv import find_listed
from spikinghash.datasets.recording import Recording
from spikinghash.datasets.split_names import SPLIT_NAMES
from spikinghash.errors import ConfigError


def find_recordings(root: Path, layout: str) -> list[Recording]:
    """All recordings below `root`, sorted by id, each id once; no recording is opened.

    `labels_csv`: a table, see `find_listed`. `class_folders`: `<split>/<label>/<file>` if every top folder is named
    like a split (train, val, validation, test), else `<label>/<file>`; deeper folders belong to the id. Files above
    the class folders and hidden files are no recordings. Links are listed, so that the reader can refuse them.
    Raises `ConfigError` for a missing root, an unknown layout, duplicate ids and whatever the layout calls wrong.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"unknown layout {layout!r}; known are: {', '.join(LAYOUTS)}")
    if not root.is_dir():
        raise ConfigError(f"the data folder {root} does not exist; check the path or download the data set")
    found = sorted(LAYOUTS[layout](root), key=lambda recording: recording.recording_id)
    for first, second in pairwise(found):
        if first.recording_id == second.recording_id:
            raise ConfigError(f"{root}: the recording {first.recording_id!r} appears twice; ids must be unique")
    return found


def class_names(recordings: Iterable[Recording]) -> list[str]:
    """Sorted names of all labels; a class's number is its place in this list."""
    return sorted({recording.label for recording in recordings if recording.label is not None})


def _find_in_class_folders(root: Path) -> list[Recording]:
    files = _walk(root)
    tops = {parts[0] for parts in files if len(parts) > 1}
    depth = 1 if tops and tops <= set(SPLIT_NAMES) else 0
    found = []
    for parts in files:
        if len(parts) < depth + 2:
            continue
        split = SPLIT_NAMES[parts[0]] if depth else None
        path = root.joinpath(*parts)
        found.append(Recording(_printable("/".join(parts)), path, label=_printable(parts[depth]), split=split))
    return found


def _walk(root: Path) -> list[tuple[str, ...]]:
    """Path parts of every file and linked folder below `root` that is not hidden."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        base = Path(folder)
        links = [name for name in folders if (base / name).is_symlink()]
        found += [(base / name).relative_to(root).parts for name in files + links if not name.startswith(".")]
    return found


def _printable(name: str) -> str:
    """File names are bytes; the ones that are not UTF-8 become ids with escapes instead of an error much later."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


LAYOUTS: dict[str, Callable[[Path], list[Recording]]] = {
    "class_folders": _find_in_class_folders,
    "labels_csv": find_listed,
}
