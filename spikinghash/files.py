"""Files that are either complete or absent."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from spikinghash.errors import ConfigError, Temporary


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Yield a path to write to; on success it is flushed to disk and renamed to `path`, on failure removed.

    Only regular files are replaced, and links to them: `ConfigError` for anything else. Raises `Temporary` when the
    disk is full; other errors of the body pass through.
    """
    _refuse_to_replace(path)
    draft: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        draft = Path(name)
        yield draft
        draft.chmod(0o644)
        flush(draft)
        draft.replace(path)
        flush(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Temporary(f"{path}: disk full; free space and run again") from error
        raise
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


class PublishedFile(ABC):
    """Context manager that writes the file `path`, which appears, whole, when the block ends without an error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._open(stack.enter_context(publish(self._path)), stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            # hand the error on, so that the draft is removed instead of published
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._finish()

    @abstractmethod
    def _open(self, draft: Path, stack: ExitStack) -> None:
        """Begin the file `draft`, which `stack` closes."""

    @abstractmethod
    def _finish(self) -> None:
        """Write what is not written yet."""


def _refuse_to_replace(path: Path) -> None:
    """`ConfigError` where a device or a pipe has the name: renaming a file to it would take its place."""
    try:
        there = path.lstat().st_mode
        if stat.S_ISLNK(there) and path.absolute().parent.parts[1:2] not in (("dev",), ("proc",)):
            there = path.stat().st_mode
    except OSError:
        return  # nothing is there, or the writing says what is wrong
    if not stat.S_ISREG(there) and not stat.S_ISDIR(there):  # the system itself keeps folders
        raise ConfigError(f"{path}: is no file, and only files are replaced; name another output")


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all; errors as in `publish`."""
    with publish(path) as draft:
        draft.write_bytes(data)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as readable JSON with sorted keys, whole or not at all."""
    write_atomically(path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def new_file(folder: Path, stem: str, suffix: str) -> Path:
    """An empty new file `<stem><suffix>` in `folder`, or `<stem>-2<suffix>` and so on where that name is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in chain([stem], (f"{stem}-{number}" for number in count(2))):
        path = folder / f"{name}{suffix}"
        try:
            path.open("x").close()
        except FileExistsError:
            continue
        return path
    raise AssertionError("names do not end")


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's contents, in hex, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Have the disk keep a file's contents, or the names in a folder, before we go on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
