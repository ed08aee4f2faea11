"""Files of a data set's folders, as recordings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from spikinghash.datasets.recording import Recording
from spikinghash.errors import ConfigError
from spikinghash.events.options import DEFAULTS, ReadOptions

Parts = tuple[str, ...]


def files_below(root: Path, suffixes: Iterable[str] | None = None) -> list[Parts]:
    """Path parts of every file and linked folder below `root` that is not hidden; with `suffixes`, of such files.

    Raises `ConfigError` for a folder that may not be listed: what is in it would be missing without a word.
    """

    def refuse(error: OSError) -> None:
        if Path(error.filename) != root or not isinstance(error, FileNotFoundError):
            why = f"cannot be listed ({error.strerror}); give access, or move it away"
            raise ConfigError(f"{error.filename}: the folder {why}")

    found = []
    for folder, folders, files in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        base = Path(folder)
        links = [name for name in folders if (base / name).is_symlink()]
        found += [(base / name).relative_to(root).parts for name in files + links if not name.startswith(".")]
    if suffixes is None:
        return found
    wanted = tuple(suffixes)
    return [parts for parts in found if parts[-1].lower().endswith(wanted)]


def recording_at(
    root: Path,
    parts: Parts,
    label: str,
    *,
    split: str | None = None,
    sensor: tuple[int, int] | None = None,
    options: ReadOptions = DEFAULTS,
) -> Recording:
    """The recording in the file with these parts below `root`."""
    path, name = root.joinpath(*parts), printable("/".join(parts))
    return Recording(name, path, label=printable(label), split=split, sensor=sensor, options=options)


def printable(name: str) -> str:
    """File names are bytes; the ones that are not UTF-8 become ids with escapes instead of an error much later."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def need(found: list[Recording], root: Path, what: str) -> list[Recording]:
    """`found`, or `ConfigError` saying what to download and where to put it."""
    if not found:
        raise ConfigError(f"nothing to read in {root}: {what}")
    return found


def lines_of(path: Path) -> list[list[str]]:
    """Words of every line of a list file that is not empty; raises `ConfigError` if it cannot be read."""
    try:
        return [line.split() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
