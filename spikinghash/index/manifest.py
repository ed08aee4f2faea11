"""`index.json`: what an index was built from, and the SHA-256 by which its files are known."""

from __future__ import annotations

import hashlib
import json
import mmap
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spikinghash.errors import BadStore
from spikinghash.schema import INDEX_SCHEMA_VERSION

INDEX_FILE = "index.faiss"
CLIPS_FILE = "clips.parquet"
MANIFEST_FILE = "index.json"


@dataclass(frozen=True)
class Manifest:
    """What `index.json` says.

    `files` maps a file name to the SHA-256 in hex of the whole file, or of the footer of `clips.parquet`, whose pages
    carry checksums of their own: a search reads a few of them. `covers` are the data files of the database whose clips
    these are, none where the index holds only some of them.
    """

    schema_version: int
    model: str
    bits: int
    rows: int
    database_version: int
    files: dict[str, str]
    covers: list[str]


def sha256(content: bytes | memoryview) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def manifest_to_bytes(manifest: Manifest) -> bytes:
    """JSON with sorted keys, so that equal indexes are equal files; `digest` is the SHA-256 of all the rest."""
    fields = asdict(manifest)
    return (json.dumps(fields | {"digest": _digest(fields)}, indent=2, sort_keys=True) + "\n").encode()


def _digest(fields: dict[str, Any]) -> str:
    return sha256(json.dumps(fields, sort_keys=True).encode())


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`; `BadStore` if it is missing, not ours or of another schema version."""
    path = folder / MANIFEST_FILE
    try:
        fields = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise BadStore(f"{folder}: no search index here; build it with `dvc repro index`") from None
    except (OSError, ValueError) as error:
        raise BadStore(f"{path}: not readable: {error}; build the index again") from error
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if version != INDEX_SCHEMA_VERSION:
        raise BadStore(f"{path}: schema version {version}, this program reads {INDEX_SCHEMA_VERSION}")
    stated = fields.pop("digest", None)
    kinds = {
        "schema_version": int, "model": str, "bits": int, "rows": int, "database_version": int, "files": dict,
        "covers": list,
    }  # fmt: skip
    if set(fields) != set(kinds) or any(type(fields[name]) is not kind for name, kind in kinds.items()):
        raise BadStore(f"{path}: fields are missing, unknown or of the wrong type; build the index again")
    if stated != _digest(fields):
        raise BadStore(f"{path}: was changed after it was written; build the index again")
    if set(fields["files"]) != {INDEX_FILE, CLIPS_FILE}:
        raise BadStore(f"{path}: must list {INDEX_FILE} and {CLIPS_FILE}; build the index again")
    return Manifest(**fields)


def map_file(path: Path) -> memoryview:
    """The file as memory that is read when looked at; it stays as it is when the file is replaced. `BadStore`."""
    try:
        with path.open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:  # ValueError: an empty file
        raise BadStore(f"{path}: {error}; build the index again") from error


def verify(path: Path, content: memoryview, manifest: Manifest) -> None:
    """`BadStore` unless the SHA-256 of `content`, of the file at `path`, is the manifest's."""
    if sha256(content) != manifest.files[path.name]:
        raise BadStore(f"{path}: SHA-256 differs from {MANIFEST_FILE}; damaged, build the index again")
