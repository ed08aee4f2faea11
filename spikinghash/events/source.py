"""Opening one input file safely: regular files only, bounded size, one consistent read."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spikinghash.errors import BadRecording
from spikinghash.events.machine_memory import reading_bytes

MAX_BYTES = 4 * 1024**3
HEAD_BYTES = 64 * 1024
#: A sparse file may be this large, or so many times what is stored of it.
SPARSE_BYTES, MAX_RATIO = 64 << 20, 200


@dataclass(frozen=True)
class Source:
    """The whole content of one file, read once, so that digest and events belong together."""

    path: Path
    data: bytes
    #: Bytes it takes up where it is stored, if it came out of something compressed.
    stored_bytes: int | None = None

    @property
    def head(self) -> bytes:
        """The first 64 KiB, enough to tell formats apart."""
        return self.data[:HEAD_BYTES]

    @cached_property
    def sha256(self) -> str:
        """Digest of the content, 64 hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


def open_source(path: Path, *, max_bytes: int = MAX_BYTES, data_set: Path | None = None) -> Source:
    """Read a file into memory.

    Of a curated data set in the folder `data_set` links are followed, as DVC and others make them into their caches;
    not those to another recording of the same set.

    Raises `BadRecording`: unreadable (missing, no rights), not-regular (folder, link, pipe, device), expansion (over
    `max_bytes`, or nearly all a hole), memory (too large for this machine), changed (somebody wrote to it meanwhile).
    """
    try:
        # a pipe would block without O_NONBLOCK; what landed may link to what its sender has no right to see
        links = os.O_NOFOLLOW if data_set is None or _within(path, data_set) else 0
        handle = os.open(path, os.O_RDONLY | links | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from error
    try:
        return Source(path, _read_regular(handle, max_bytes))
    finally:
        os.close(handle)


def _within(path: Path, folder: Path) -> bool:
    """Whether a link leads to a place in the folder, wherever what lies there may lead."""
    if not path.is_symlink():
        return False
    target = Path(os.path.normpath(path.parent.resolve() / path.readlink()))
    return target.is_relative_to(folder.resolve())


def _read_regular(handle: int, max_bytes: int) -> bytes:
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        raise BadRecording("not-regular", "only regular files are read, this is a folder, pipe or device")
    if before.st_size > max_bytes:
        raise BadRecording("expansion", f"{before.st_size} bytes are more than the limit of {max_bytes}")
    stored = before.st_blocks * 512
    if before.st_size > max(SPARSE_BYTES, MAX_RATIO * stored):
        raise BadRecording("expansion", f"only {stored} of its {before.st_size} bytes are stored, the rest is a hole")
    if 3 * before.st_size > reading_bytes():
        most = reading_bytes() // 3
        raise BadRecording("memory", f"{before.st_size} bytes are more than {most}, what this machine's memory allows")
    try:
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(before.st_size + 1)
    except OSError as error:
        raise BadRecording("unreadable", f"reading failed: {error.strerror}") from error
    if len(data) != before.st_size:
        raise _changed()
    unchanged(handle, before)
    return data


def unchanged(handle: int, before: os.stat_result) -> None:
    """Raise `BadRecording("changed")` unless an open file has the size and time it had."""
    now = os.fstat(handle)
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise _changed()


def _changed() -> BadRecording:
    return BadRecording("changed", "the file changed while it was read; run again when its writer is done")


def is_folder(path: Path) -> bool:
    """Whether it is a folder; False too where that cannot be found out."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _refusal(path: Path, error: OSError | ValueError) -> BadRecording:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ELOOP:
        return BadRecording("not-regular", "this is a symbolic link; give the file it points to")
    if code == errno.ENXIO:
        return BadRecording("not-regular", "this is a socket or device, not a regular file")
    if code in (errno.EACCES, errno.EPERM) and is_folder(path):
        return BadRecording("unreadable", "this folder may not be listed; what lies in it is not looked at")
    why = error.strerror if isinstance(error, OSError) else str(error)
    return BadRecording("unreadable", f"cannot open {path.name!r}: {why}")
