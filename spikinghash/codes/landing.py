"""Recordings that land in an object store: brought into a local folder, from which they are hashed as any others."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pyarrow import fs

from spikinghash.codes.object_names import local_name
from spikinghash.errors import ConfigError, Temporary
from spikinghash.files import publish
from spikinghash.remote_store import open_store, remote_errors

_BLOCK_BYTES = 4 << 20
#: Stores keep times in seconds: an object as young as this may change once more without its time telling.
_SETTLED_NS = 2 * 10**9


@dataclass
class Landed:
    """Objects by what became of them. Law: found = fetched + kept + len(refused) + len(changed).

    `kept` were here already; `refused` maps names that no local file may have to the rule they break; `changed`
    are objects that were replaced or removed while they were read, and are left for the next time.
    """

    address: str
    found: int = 0
    fetched: int = 0
    kept: int = 0
    bytes: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


class _Changed(Exception):
    """The object is no longer the one that was listed."""


def landing_folder(address: str, cache: Path) -> Path:
    """The folder below `cache` that belongs to an address."""
    return cache / re.sub(r"[^A-Za-z0-9._-]+", "-", address).strip("-.")


def fetch_landing(address: str, folder: Path) -> Landed:
    """Bring objects below `address` (`s3://bucket/prefix`) that are new or changed into `folder`, each whole or not.

    A local file has the time of its object: size and time tell whether it is up to date, and nothing else has to be
    remembered. What is gone from the store stays in the folder. Raises `Temporary` for a store that does not answer
    and a full disk, `ConfigError` for a store that refuses; calling it again goes on where it stopped.
    """
    store, root = open_store(address)
    landed = Landed(address)
    now_ns = time.time_ns()
    folder.mkdir(parents=True, exist_ok=True)
    for info in _objects(store, root, address):
        landed.found += 1
        name = info.path[len(root) + 1 :]
        try:
            target = folder / local_name(name)
            if _same(info, target):
                landed.kept += 1
                continue
            settled = info.mtime_ns is not None and now_ns - info.mtime_ns > _SETTLED_NS
            _fetch(store, info, target, address, settled)
        except ValueError as rule:
            landed.refused[name] = str(rule)
        except _Changed:
            landed.changed.append(name)
        else:
            landed.fetched += 1
            landed.bytes += info.size
    return landed


def _objects(store: fs.FileSystem, root: str, address: str) -> list[fs.FileInfo]:
    with remote_errors(address):
        try:
            there = store.get_file_info(fs.FileSelector(root, recursive=True))
        except FileNotFoundError:
            # a prefix without objects is no folder yet, but a bucket has to be there
            if store.get_file_info(root.split("/", maxsplit=1)[0]).type == fs.FileType.NotFound:
                raise ConfigError(f"{address}: no such bucket or folder") from None
            if store.get_file_info(root).type == fs.FileType.File:
                raise ConfigError(f"{address}: is one object; name the prefix that it lies below") from None
            return []
    return sorted((info for info in there if info.type == fs.FileType.File), key=lambda info: info.path)


def _same(info: fs.FileInfo, target: Path) -> bool:
    try:
        here = target.lstat()
    except OSError:
        return False
    return stat.S_ISREG(here.st_mode) and (here.st_size, here.st_mtime_ns) == (info.size, info.mtime_ns)


def _fetch(store: fs.FileSystem, info: fs.FileInfo, target: Path, address: str, settled: bool) -> None:
    """Write one object to `target`; `ValueError` where another object's name is in the way."""
    try:
        with publish(target) as draft:
            with draft.open("wb") as out:
                for block in _blocks(store, info.path, address):
                    out.write(block)
            # read in several requests: only an object that is still the same was read as one
            with remote_errors(address):
                after = store.get_file_info(info.path)
            if (draft.stat().st_size, after.size, after.mtime_ns) != (info.size, info.size, info.mtime_ns):
                raise _Changed
            if settled:
                os.utime(draft, ns=(info.mtime_ns, info.mtime_ns))
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise ValueError("is a file and a folder at once") from None
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise Temporary(
                f"{target}: {info.size} bytes are more than the limit on files; raise it and run again"
            ) from error
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from error


def _blocks(store: fs.FileSystem, path: str, address: str) -> Iterator[bytes]:
    with remote_errors(address):
        try:
            with store.open_input_stream(path) as stream:
                while block := stream.read(_BLOCK_BYTES):
                    yield block
        except FileNotFoundError:
            raise _Changed from None
