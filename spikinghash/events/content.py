"""The content of one input as bytes that are asked for piece by piece, wherever they lie."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from spikinghash.errors import BadRecording

#: How much of a content is asked for at once where it is read from its beginning to its end.
BLOCK_BYTES = 1 << 18


class Content(Protocol):
    """Bytes that do not change while they are read."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def read(self, start: int, stop: int) -> bytes:
        """Bytes start..stop - 1, all of them; raises `BadRecording`: unreadable, changed."""
        ...


class HeldContent:
    """Content in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.data)

    def read(self, start: int, stop: int) -> bytes:
        """As `Content.read`; all of it is not copied."""
        return self.data if start == 0 and stop == len(self.data) else self.data[start:stop]


class FileContent:
    """A regular file that was opened as `handle`; it is closed when nobody refers to this any more.

    Given to another process it is opened there by its `path`, and refused (unreadable, changed) unless it is the same.
    """

    def __init__(self, path: Path, handle: int, facts: os.stat_result) -> None:
        self.path, self.facts = path, facts
        self._handle: int | None = handle
        weakref.finalize(self, os.close, handle)

    def __getstate__(self) -> tuple[Path, os.stat_result]:
        return self.path, self.facts

    def __setstate__(self, state: tuple[Path, os.stat_result]) -> None:
        self.path, self.facts = state
        self._handle = None

    @property
    def handle(self) -> int:
        """The open file."""
        if self._handle is None:
            try:
                self._handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                message = f"a worker cannot open {self.path} ({error.strerror}), which is too large to be sent to it"
                raise BadRecording("unreadable", f"{message}; put it on a disk that all share") from error
            weakref.finalize(self, os.close, self._handle)
        return self._handle

    @property
    def size(self) -> int:
        """Number of bytes it had when it was opened."""
        return self.facts.st_size

    def read(self, start: int, stop: int) -> bytes:
        """As `Content.read`."""
        try:
            data = os.pread(self.handle, stop - start, start)
            # the system gives at most 2 GiB at once
            while (at := start + len(data)) < stop and (more := os.pread(self.handle, stop - at, at)):
                data += more
        except OSError as error:
            raise BadRecording("unreadable", f"reading failed: {error.strerror}") from error
        if len(data) != stop - start:
            raise changed()
        unchanged(self.handle, self.facts)
        return data


class ReadAhead:
    """The same content for who reads it from front to back in small pieces: more than the asked for is fetched."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.start, self.piece = 0, b""

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.content.size

    def read(self, start: int, stop: int) -> bytes:
        """As `Content.read`."""
        if not self.start <= start <= stop <= self.start + len(self.piece):
            self.start = start
            self.piece = self.content.read(start, min(max(stop, start + BLOCK_BYTES), self.size))
        return self.piece[start - self.start : stop - self.start]


def pieces(content: Content, size: int = BLOCK_BYTES, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """All bytes from `start` (to `stop`, else the end), `size` at a time."""
    end = content.size if stop is None else stop
    for lo in range(start, end, size):
        yield content.read(lo, min(lo + size, end))


def unchanged(handle: int, before: os.stat_result) -> None:
    """Raise `BadRecording("changed")` unless an open file has the size and time it had."""
    now = os.fstat(handle)
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise changed()


def changed() -> BadRecording:
    """The refusal of a file that somebody writes to."""
    return BadRecording("changed", "the file changed while it was read; run again when its writer is done")
