"""The index of a zip or tar and the contents of its members, read as a stream; nothing is ever unpacked to disk.

All names, links and sizes are checked before the first member is read. A rule broken by the archive refuses the whole
archive. Runs in a child of its own (`archive_worker`): the libraries below may raise anything, hang or take all memory.
"""

from __future__ import annotations

import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, cast

from spikinghash.errors import BadRecording
from spikinghash.events.archive_kind import are_columns, is_tar, is_zip, opener_of

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"^[A-Za-z]:")
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)


@dataclass(frozen=True)
class ArchiveLimits:
    """How much an archive may hold: members, bytes in all, and bytes out for each byte in."""

    members: int = 100_000
    total_bytes: int = 4 << 30
    ratio: float = 200.0
    #: Small archives may expand to this much whatever the ratio.
    free_bytes: int = 16 << 20


@dataclass(frozen=True)
class Member:
    """A file of the archive: its stored name, the size that the index claims, its bytes in the archive if known, and
    its content, to be read before the next member is asked for.
    """

    name: str
    size: int
    stored: int | None
    content: IO[bytes]


def open_index(stream: IO[bytes], head: bytes, size: int, name: str, limits: ArchiveLimits) -> Iterator[Member] | None:
    """The members of the archive that begins with `head`, or None where the file has no archive's index.

    An `.npz` is None too: it is one recording. `name` is that of the file, `size` its bytes. Raises `BadRecording` here
    or while the members are read: archive-name, archive-link, archive-count, expansion, truncated (damaged), unreadable
    (encrypted), memory.
    """
    with archive_damage():
        if is_zip(stream, head):
            stream.seek(0)
            archive = zipfile.ZipFile(stream)
            files = [info.filename for info in archive.infolist() if not info.is_dir()]
            return None if are_columns(files, name) else _zip(archive, _Budget(size, limits), limits)
        stream.seek(0)
        return _tar(stream, head, size, limits) if is_tar(stream, head) else None


def _zip(archive: zipfile.ZipFile, budget: _Budget, limits: ArchiveLimits) -> Iterator[Member]:
    infos = archive.infolist()
    names = _Names(limits)
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
            with archive.open(info) as content:
                yield Member(info.filename, info.file_size, info.compress_size, content)


def _tar(stream: IO[bytes], head: bytes, size: int, limits: ArchiveLimits) -> Iterator[Member]:
    names = _Names(limits)
    with _tar_stream(stream, head, _Budget(size, limits)) as archive:
        budget = _Budget(size, limits)
        for info in _infos(archive):
            names.check(info.name)
            if info.issym() or info.islnk() or not (info.isreg() or info.isdir()):
                raise BadRecording("archive-link", f"the member {info.name!r} is a link or device")
            if info.issparse():
                raise BadRecording("expansion", f"the member {info.name!r} is sparse")
            # before the next header is looked for: the library walks over whatever size is claimed, block by block
            budget.spend(info.size)
    with _tar_stream(stream, head, _Budget(size, limits)) as archive:
        for info in _infos(archive):
            content = archive.extractfile(info) if info.isreg() else None
            if content is not None:
                yield Member(info.name, info.size, None, content)


def _infos(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (info := archive.next()) is not None:
        yield info
        # the library keeps the header of every member that it has met
        archive.members.clear()  # type: ignore[attr-defined]


@contextmanager
def _tar_stream(stream: IO[bytes], head: bytes, budget: _Budget) -> Iterator[tarfile.TarFile]:
    stream.seek(0)
    opener = opener_of(head)
    raw = stream if opener is None else opener(stream, "rb")
    with tarfile.open(fileobj=cast(IO[bytes], _Bounded(raw, budget)), mode="r|") as archive:
        yield archive


class _Bounded(io.RawIOBase):
    """A stream that stops when more comes out than the archive may hold."""

    def __init__(self, raw: IO[bytes], budget: _Budget) -> None:
        self.raw = raw
        self.budget = budget

    def read(self, size: int = -1) -> bytes:
        data = self.raw.read(min(size, self.budget.left + 1) if size >= 0 else self.budget.left + 1)
        self.budget.spend(len(data))
        return data


class _Budget:
    def __init__(self, packed: int, limits: ArchiveLimits) -> None:
        self.left = min(limits.total_bytes, max(limits.free_bytes, int(packed * limits.ratio)))
        self.allowed = self.left

    def spend(self, size: int) -> None:
        if size < 0:
            raise BadRecording("truncated", f"the archive is damaged: a member of {size} bytes")
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


@contextmanager
def archive_damage() -> Iterator[None]:
    """Turn whatever the libraries raise over a damaged archive into `BadRecording`."""
    try:
        yield
    except (BadRecording, BrokenPipeError):
        raise
    except MemoryError:
        raise BadRecording("memory", "the archive's index needs more memory than allowed") from None
    except RecursionError:
        raise BadRecording("archive-count", "too many headers follow each other before a member") from None
    except UnicodeError as error:
        raise BadRecording("archive-name", f"a name is not in the encoding that it states: {_line(error)}") from None
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None and error.strerror:
            raise BadRecording("unreadable", f"the archive cannot be read: {error.strerror}") from None
        text = f"the archive is damaged, or compressed but no archive: {_line(error)}"
        raise BadRecording("truncated", text) from None
    except Exception as error:  # noqa: BLE001 libraries raise anything over damaged content
        raise BadRecording("truncated", f"the archive's index is damaged: {_line(error)}") from None


def _line(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
