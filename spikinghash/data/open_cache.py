"""The cache of a frame store: found, or made once on this machine, whoever else makes it at the same time.

A cache is a folder `frames-<digest of the store>`. It is written under a hidden name and renamed when the disk has all
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

import numpy as np
from numpy.typing import NDArray

from spikinghash.data.build_cache import build_cache, cache_bytes
from spikinghash.data.cache_header import open_split, read_header
from spikinghash.data.cache_room import make_room, prune
from spikinghash.data.sample_file import SampleFile
from spikinghash.errors import Temporary
from spikinghash.files import flush
from spikinghash.frames.store import FrameStore

_DIGITS = 16
Watch = Callable[[int, int], Any]


@dataclass(frozen=True)
class ClipCache:
    """`splits` has clips and int32 class numbers [N], -1 for none, by split; `classes` the names, in order."""

    folder: Path
    classes: tuple[str, ...]
    splits: dict[str, tuple[SampleFile, NDArray[np.int32]]]


def open_cache(store: Path, digest: str, folder: Path, watch: Watch | None = None) -> ClipCache:
    """The cache in `folder` of the frame store `store`, whose file has the SHA-256 `digest`.

    One that is missing or damaged is made (`watch` is then called with clips done and clips in all). The store itself
    is not opened where there is one. Raises `BadStore` for a damaged store, `Temporary` for too little room.
    """
    place = folder / f"frames-{digest[:_DIGITS]}"
    cache = _read(place, digest)
    if cache is None:
        with _alone(folder):
            cache = _read(place, digest) or _make(store, digest, place, watch)
    os.utime(place)
    prune(folder, place)
    return cache


def _read(place: Path, digest: str) -> ClipCache | None:
    """The cache, None where there is no whole one."""
    try:
        header = read_header(place, digest)
        splits = {name: open_split(place, name, files) for name, files in header.splits.items()}
    except (OSError, ValueError):
        return None
    return ClipCache(place, tuple(header.classes), splits)


def _make(path: Path, digest: str, place: Path, watch: Watch | None) -> ClipCache:
    # damaged, or of processes that were killed
    for left in [place, *place.parent.glob(f".{place.name}.*")]:
        shutil.rmtree(left, ignore_errors=True)
    store = FrameStore.open(path)
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
    with (folder / ".frames.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
        yield
