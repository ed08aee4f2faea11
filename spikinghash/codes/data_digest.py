"""Data files that are named by their contents: `part-<random>-<SHA-256 of the file>.parquet`.

The name stands in the log entry that commits the file, and outlives checkpoints, copies and the end of the log.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import PurePosixPath

from pyarrow import fs

_NAMED = re.compile(r"^part-[0-9a-f]{32}-([0-9a-f]{64})\.parquet$")
_BLOCK_BYTES = 4 << 20
#: Local files whose contents were compared in this process, as they were then: nobody reads a file twice to be sure.
_verified: set[tuple[str, int, int]] = set()


def name_of(content: bytes) -> str:
    """A new name for a data file; two files with equal contents have two names."""
    return f"part-{uuid.uuid4().hex}-{hashlib.sha256(content).hexdigest()}.parquet"


def digest_in(path: str) -> str | None:
    """SHA-256 in hex that the name of a data file states, None for a file of another writer."""
    found = _NAMED.match(PurePosixPath(path).name)
    return found[1] if found else None


def wrong(store: fs.FileSystem, path: str, size: int | None = None) -> str | None:
    """What is wrong with the contents of a data file, None if they are those that were committed.

    `size` in bytes as the log has it. A file without a digest is measured only. Raises `OSError` where nothing can be
    read.
    """
    info = store.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        return "is gone"
    if info.type != fs.FileType.File:
        return "is no file"
    if size is not None and info.size is not None and info.size != size:
        return f"has {info.size} bytes, {size} were committed"
    wanted = digest_in(path)
    if wanted is None or digest_of(store, path) == wanted:
        return None
    return "holds other bytes than were committed (SHA-256 differs)"


def wrong_once(store: fs.SubTreeFileSystem, path: str, size: int | None = None) -> str | None:
    """As `wrong` for a local folder; a file that did not change since this process compared it is not read again."""
    info = store.get_file_info(path)
    mark = (f"{store.base_path}{path}", info.size or 0, info.mtime_ns or 0)
    if info.type == fs.FileType.File and mark in _verified:
        return None
    found = wrong(store, path, size)
    if found is None:
        _verified.add(mark)
    return found


def digest_of(store: fs.FileSystem, path: str) -> str:
    """SHA-256 of a file's contents in hex."""
    digest = hashlib.sha256()
    with store.open_input_stream(path) as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
