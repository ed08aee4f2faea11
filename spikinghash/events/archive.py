"""Recordings inside zip and tar archives, read in memory: nothing is ever unpacked to disk, so nothing can escape.

All names, links and sizes are checked before the first member is read. A rule broken by the archive refuses the whole
archive; a bad recording inside a good archive is refused alone.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from spikinghash.errors import BadRecording
from spikinghash.events.source import Source

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"^[A-Za-z]:")
_COMPRESSED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)


@dataclass(frozen=True)
class ArchiveLimits:
    """How much an archive may hold: members, bytes in all, and bytes out for each byte in."""

    members: int = 100_000
    total_bytes: int = 4 << 30
    ratio: float = 200.0
    #: Small archives may expand to this much whatever the ratio.
    free_bytes: int = 16 << 20


def is_archive(path: Path) -> bool:
    """Whether the file starts like a zip (other than an .npz recording), a tar, or a compressed tar."""
    with _damage(path):
        head = _head(path)
    if head.startswith(b"PK"):
        return not _is_npz(path)
    if any(head.startswith(magic) for magic in _COMPRESSED):
        return True
    return head[257:262] == b"ustar"


def members(path: Path, limits: ArchiveLimits = ArchiveLimits()) -> Iterator[Source]:
    """Yield every file of the archive as a `Source` whose path is `<archive>!<name>`, in stored order.

    Raises `BadRecording` for the archive as a whole: archive-name, archive-link, archive-count, expansion, truncated
    (damaged), unreadable (encrypted).
    """
    with _damage(path):
        head = _head(path)
        yield from _zip(path, limits) if head.startswith(b"PK") else _tar(path, head, limits)


def _zip(path: Path, limits: ArchiveLimits) -> Iterator[Source]:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        names = _Names(limits)
        budget = _Budget(path, limits)
        for info in infos:
            names.check(info.orig_filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise BadRecording("archive-link", f"the member {info.filename!r} is a link or device")
            if info.flag_bits & 1:
                raise BadRecording("unreadable", f"the member {info.filename!r} is encrypted; decrypt the archive")
            budget.spend(info.file_size)
        for info in infos:
            if not info.is_dir():
                with archive.open(info) as stream:
                    yield Source(Path(f"{path}!{info.filename}"), stream.read(info.file_size))


def _tar(path: Path, head: bytes, limits: ArchiveLimits) -> Iterator[Source]:
    names = _Names(limits)
    with _tar_stream(path, head, limits) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for info in archive:
            names.check(info.name)
            if info.issym() or info.islnk() or not (info.isreg() or info.isdir()):
                raise BadRecording("archive-link", f"the member {info.name!r} is a link or device")
            if info.issparse():
                raise BadRecording("expansion", f"the member {info.name!r} is sparse")
    with _tar_stream(path, head, limits) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for info in archive:
            content = archive.extractfile(info) if info.isreg() else None
            if content is not None:
                yield Source(Path(f"{path}!{info.name}"), content.read())


@contextmanager
def _tar_stream(path: Path, head: bytes, limits: ArchiveLimits) -> Iterator[IO[bytes]]:
    opener = next((opener for magic, opener in _COMPRESSED.items() if head.startswith(magic)), Path.open)
    with opener(path, "rb") as raw:
        yield cast(IO[bytes], _Bounded(raw, _Budget(path, limits)))


class _Bounded(io.RawIOBase):
    """A stream that stops when more comes out than the archive may hold."""

    def __init__(self, raw: IO[bytes], budget: _Budget) -> None:
        self.raw = raw
        self.budget = budget

    def read(self, size: int = -1) -> bytes:
        data = self.raw.read(size)
        self.budget.spend(len(data))
        return data


class _Budget:
    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        packed = path.stat().st_size
        self.left = min(limits.total_bytes, max(limits.free_bytes, int(packed * limits.ratio)))
        self.allowed = self.left

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise BadRecording("expansion", f"the archive expands to more than {self.allowed} bytes")


class _Names:
    def __init__(self, limits: ArchiveLimits) -> None:
        self.limit = limits.members
        self.seen: set[str] = set()

    def check(self, name: str) -> None:
        """A name must be relative, stay inside, be printable and stand once."""
        if len(self.seen) >= self.limit:
            raise BadRecording("archive-count", f"more than {self.limit} members")
        parts = PurePosixPath(name.replace("\\", "/")).parts
        bad = not parts or name.startswith(("/", "\\")) or ".." in parts or _DRIVE.match(name) or _CONTROL.search(name)
        if bad:
            raise BadRecording(
                "archive-name", f"the member name {name!r} is absolute, leaves the archive or is unprintable"
            )
        key = "/".join(parts)
        if key in self.seen:
            raise BadRecording("archive-name", f"the member name {name!r} stands twice")
        self.seen.add(key)


def _is_npz(path: Path) -> bool:
    """An .npz is a zip of .npy files and nothing else."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except _DAMAGE:
        return False  # a damaged zip is refused as an archive
    return bool(names) and all(name.endswith(".npy") for name in names)


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(512)


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, OSError) and error.errno is not None:
            raise BadRecording("unreadable", f"the archive cannot be read: {error.strerror}") from error
        raise BadRecording("truncated", f"the archive is damaged, or compressed but no archive: {text}") from error
