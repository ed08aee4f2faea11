"""Opening one input file safely: regular files only, bounded size, one consistent read."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from spikinghash.errors import BadRecording
from spikinghash.events.content import Content, FileContent, HeldContent, changed, pieces, unchanged
from spikinghash.events.machine_memory import reading_bytes

#: Days of recording; what has to lie in memory whole is refused long before by `Source.data`.
MAX_BYTES = 1 << 40
HEAD_BYTES = 64 * 1024
#: Larger files stay where they are and are read in pieces.
HELD_BYTES = 16 << 20
#: A sparse file may be this large, or so many times what is stored of it.
SPARSE_BYTES, MAX_RATIO = 64 << 20, 200


@dataclass(frozen=True)
class Source:
    """The content of one file, opened once, so that digest and events belong together; `given` is bytes or more."""

    path: Path
    given: bytes | Content
    #: Bytes it takes up where it is stored, if it came out of something compressed.
    stored_bytes: int | None = None

    @property
    def content(self) -> Content:
        """The content to be read in pieces."""
        return HeldContent(self.given) if isinstance(self.given, bytes) else self.given

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.content.size

    @property
    def data(self) -> bytes:
        """All of the content; raises `BadRecording("memory")` where a file is too large for this machine's memory."""
        if not isinstance(self.given, bytes):
            refuse_large(self.size)
        return self.content.read(0, self.size)

    def in_memory(self) -> Source:
        """The same with its content in memory; raises as `data`."""
        return self if isinstance(self.given, bytes) else replace(self, given=self.data)

    @property
    def head(self) -> bytes:
        """The first 64 KiB, enough to tell formats apart."""
        return self.content.read(0, min(HEAD_BYTES, self.size))

    @cached_property
    def sha256(self) -> str:
        """Digest of the content, 64 hexadecimal digits."""
        digest = hashlib.sha256()
        for piece in pieces(self.content):
            digest.update(piece)
        return digest.hexdigest()


def refuse_large(size: int) -> None:
    """Raise `BadRecording("memory")` for content that is too large to lie in memory whole and be decoded there."""
    # it is here, in the child that decodes it, and what comes out of it
    if 3 * size > reading_bytes():
        most = reading_bytes() // 3
        raise BadRecording("memory", f"{size} bytes are more than {most}, what this machine's memory allows")


def open_source(path: Path, *, max_bytes: int = MAX_BYTES, data_set: Path | None = None) -> Source:
    """Open a file and read it into memory, a large one when it is asked for.

    Of a curated data set in the folder `data_set` links are followed, as DVC and others make them into their caches;
    not those to another recording of the same set.

    Raises `BadRecording`: unreadable (missing, no rights), not-regular (folder, link, pipe, device), expansion (over
    `max_bytes`, or nearly all a hole), changed (somebody wrote to it meanwhile).
    """
    try:
        # a pipe would block without O_NONBLOCK; what landed may link to what its sender has no right to see
        links = os.O_NOFOLLOW if data_set is None or _within(path, data_set) else 0
        handle = os.open(path, os.O_RDONLY | links | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from error
    with ExitStack() as stack:
        stack.callback(os.close, handle)
        facts = os.fstat(handle)
        _check_regular(facts, max_bytes)
        if facts.st_size <= min(HELD_BYTES, reading_bytes() // 3):
            return Source(path, _read_whole(handle, facts))
        # it stays open until nobody asks any more
        stack.pop_all()
        return Source(path, FileContent(path.absolute(), handle, facts))


def _within(path: Path, folder: Path) -> bool:
    """Whether a link leads to a place in the folder, wherever what lies there may lead."""
    if not path.is_symlink():
        return False
    target = Path(os.path.normpath(path.parent.resolve() / path.readlink()))
    return target.is_relative_to(folder.resolve())


def _check_regular(facts: os.stat_result, max_bytes: int) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise BadRecording("not-regular", "only regular files are read, this is a folder, pipe or device")
    if facts.st_size > max_bytes:
        raise BadRecording("expansion", f"{facts.st_size} bytes are more than the limit of {max_bytes}")
    stored = facts.st_blocks * 512
    if facts.st_size > max(SPARSE_BYTES, MAX_RATIO * stored):
        raise BadRecording("expansion", f"only {stored} of its {facts.st_size} bytes are stored, the rest is a hole")


def _read_whole(handle: int, before: os.stat_result) -> bytes:
    try:
        # one more than there are, to see whether it grew
        data = os.pread(handle, before.st_size + 1, 0)
    except OSError as error:
        raise BadRecording("unreadable", f"reading failed: {error.strerror}") from error
    if len(data) != before.st_size:
        raise changed()
    unchanged(handle, before)
    return data


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
