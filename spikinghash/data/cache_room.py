"""Room for a cache: old ones go, and too little is told before anything is written."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

from spikinghash.errors import Temporary

#: Caches, and those of versions whose stores had frames alone.
_OURS = re.compile(r"(samples|frames)-[0-9a-f]{16}")
#: A cache that no training has opened for so long is removed.
KEPT_S = 14 * 24 * 3600
#: Left free on the disk, for everybody else.
_SPARE = 64 * 1024**2


def make_room(place: Path, needed: int, store: Path) -> None:
    """See that `needed` bytes fit on the disk of the cache `place`; other caches go first, longest unused ones first.

    A cache that a training reads at the moment stays readable for it. Raises `Temporary` with one line.
    """
    others, free = _others(place.parent, place), shutil.disk_usage(place.parent).free
    if free + sum(_size(other) for other in others) < needed + _SPARE:
        raise Temporary(
            f"{place.parent}: training on {store} needs {_gb(needed)} for its cache there, and {_gb(free)} are free; "
            "free space, or name a folder on another disk in data.cache"
        )
    while others and shutil.disk_usage(place.parent).free < needed + _SPARE:
        shutil.rmtree(others.pop(0), ignore_errors=True)


def prune(folder: Path, keep: Path) -> None:
    """Remove caches that have not been opened for `KEPT_S`; never fails."""
    oldest = time.time() - KEPT_S
    for other in _others(folder, keep):
        if _last_used(other) < oldest:
            shutil.rmtree(other, ignore_errors=True)


def _others(folder: Path, keep: Path) -> list[Path]:
    found = [path for path in folder.iterdir() if _OURS.fullmatch(path.name) and path != keep]
    return sorted(found, key=_last_used)


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()


def _size(folder: Path) -> int:
    try:
        return sum(path.stat().st_size for path in folder.iterdir())
    except OSError:
        return 0


def _gb(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
