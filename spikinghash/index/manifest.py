"""`index.json`: what an index was built from, and the SHA-256 of its files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from spikinghash.errors import BadStore
from spikinghash.schema import INDEX_SCHEMA_VERSION

INDEX_FILE = "index.faiss"
CLIPS_FILE = "clips.parquet"
MANIFEST_FILE = "index.json"


@dataclass(frozen=True)
class Manifest:
    """What `index.json` says; `files` maps a file name to its SHA-256 in hex."""

    schema_version: int
    model: str
    bits: int
    rows: int
    database_version: int
    files: dict[str, str]


def sha256(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def manifest_to_bytes(manifest: Manifest) -> bytes:
    """JSON with sorted keys, so that equal indexes are equal files."""
    return (json.dumps(asdict(manifest), indent=2, sort_keys=True) + "\n").encode()


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
    kinds = {"schema_version": int, "model": str, "bits": int, "rows": int, "database_version": int, "files": dict}
    if set(fields) != set(kinds) or any(type(fields[name]) is not kind for name, kind in kinds.items()):
        raise BadStore(f"{path}: fields are missing, unknown or of the wrong type; build the index again")
    if set(fields["files"]) != {INDEX_FILE, CLIPS_FILE}:
        raise BadStore(f"{path}: must list {INDEX_FILE} and {CLIPS_FILE}; build the index again")
    return Manifest(**fields)


def read_verified(folder: Path, name: str, manifest: Manifest) -> bytes:
    """Content of a file of the index; `BadStore` unless its SHA-256 is the manifest's.

    The bytes that were hashed are the bytes handed on: nothing is read twice.
    """
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise BadStore(f"{folder / name}: {error.strerror}; build the index again") from error
    if sha256(content) != manifest.files[name]:
        raise BadStore(f"{folder / name}: SHA-256 differs from {MANIFEST_FILE}; damaged, build the index again")
    return content
