"""`cache.json`: what a cache of a frame store holds, and what its files must be."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from spikinghash.data.sample_file import SampleFile, checksums_of
from spikinghash.files import write_json

HEADER = "cache.json"
_VERSION = 1


class SplitFiles(BaseModel):
    """`<split>.npy` holds the clips, `<split>-labels.npy` [N] int32 numbers in `classes` or -1, `<split>-crc32.npy` [N]
    uint32 the checksum of each clip; the last two by their SHA-256.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    clips: int
    labels_sha256: str
    crc32_sha256: str


class CacheHeader(BaseModel):
    """`store` is the SHA-256 of the frame store's file, `classes` the names of its labels, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    version: int = _VERSION
    store: str
    classes: list[str]
    splits: dict[str, SplitFiles]


def clips_path(folder: Path, split: str) -> Path:
    """Where the clips of a split are."""
    return folder / f"{split}.npy"


def labels_path(folder: Path, split: str) -> Path:
    """Where the class numbers of a split are."""
    return folder / f"{split}-labels.npy"


def write_array(path: Path, values: NDArray[np.generic]) -> str:
    """Write one of the small files; returns its SHA-256."""
    np.save(path, values)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_header(folder: Path, header: CacheHeader) -> None:
    """The last file of a cache to be written."""
    write_json(folder / HEADER, header.model_dump())


def read_header(folder: Path, store: str) -> CacheHeader:
    """The header of a cache of the store with that digest; raises `ValueError` or `OSError` where it is no such one."""
    header = CacheHeader.model_validate_json((folder / HEADER).read_bytes())
    if (header.version, header.store) != (_VERSION, store):
        raise ValueError(f"{folder} is a cache of another store, or of another version")
    return header


def open_split(folder: Path, split: str, files: SplitFiles) -> tuple[SampleFile, NDArray[np.int32]]:
    """Clips and class numbers; raises `ValueError` or `OSError` where a file is missing or not as it was written."""
    path = clips_path(folder, split)
    crc32 = _read_array(path.with_name(checksums_of(path)), files.crc32_sha256, np.uint32, files.clips)
    labels = _read_array(labels_path(folder, split), files.labels_sha256, np.int32, files.clips)
    return SampleFile(path, crc32), labels


def _read_array(path: Path, sha256: str, dtype: type, length: int) -> NDArray[Any]:
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise ValueError(f"{path} is not as it was written")
    values = np.load(path)
    if values.shape != (length,) or values.dtype != dtype:
        raise ValueError(f"{path} does not hold {length} numbers")
    return values
