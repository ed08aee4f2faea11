"""The cache of a sample store: found, or made once on this machine, whoever else makes it at the same time.

A cache is a folder `samples-<digest of the store>`. It is written under a hidden name and renamed when the disk has all
of it, so that it is whole or not there. A lock lets one process work while the others wait, and goes with a process
that is killed; where a file system has no locks, two make one each and the first one counts.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikinghash.data.build_cache import build_cache, cache_bytes
from spikinghash.data.cache_header import CachedSplit, open_split, read_header
from spikinghash.data.cache_room import make_room, prune
from spikinghash.data.store import SampleStore
from spikinghash.errors import Temporary
from spikinghash.files import flush

_DIGITS = 16
Watch = Callable[[int, int], Any]


@dataclass(frozen=True)
class SampleCache:
    """The samples by split; `classes` are the names of their labels, in order."""

    folder: Path
    classes: tuple[str, ...]
    splits: dict[str, CachedSplit]


def open_cache(store: Path, digest: str, folder: Path, watch: Watch | None = None) -> SampleCache:
    """The cache in `folder` of the sample store `store`, whose file has the SHA-256 `digest`.

    One that is missing or damaged is made (`watch` is then called with samples done and in all). The store itself is
    not opened where there is one. Raises `BadStore` for a damaged store, `Temporary` for too little room.
    """
    place = folder / f"samples-{digest[:_DIGITS]}"
    cache = _read(place, digest)
    if cache is None:
        with _alone(folder):
            cache = _read(place, digest) or _make(store, digest, place, watch)
    os.utime(place)
    prune(folder, place)
    return cache


def _read(place: Path, digest: str) -> SampleCache | None:
    """The cache, None where there is no whole one."""
    try:
        header = read_header(place, digest)
        splits = {name: open_split(place, name, header) for name in header.splits}
    except (OSError, ValueError):
        return None
    return SampleCache(place, tuple(header.classes), splits)


def _make(path: Path, digest: str, place: Path, watch: Watch | None) -> SampleCache:
    # damaged, or of processes that were killed
    for left in [place, *place.parent.glob(f".{place.name}.*")]:
        shutil.rmtree(left, ignore_errors=True)
    store = SampleStore.open(path)
    make_room(place, cache_bytes(store), store.path)
    draft = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        build_cache(store, digest, draft, watch)
        draft.rename(place)
        flush(place.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Temporary(f"{place}: disk full; free space, or name another folder in data.cache") from error
        # another process was first, on a file system without locks: its cache is as good
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    cache = _read(place, digest)
    if cache is None:
        raise Temporary(f"{place}: was removed or damaged while it was made; run again")
    return cache


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process of this machine at a time."""
    with (folder / ".samples.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
        yield
