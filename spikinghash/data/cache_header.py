"""`cache.json`: what a cache of a sample store holds, and what its files must be.

`<split>-<modality>.npy` are the inputs of one modality [N, ...], zeros where a sample lacks it, and
`<split>-<modality>.crc32.npy` [N] uint32 the checksum of each; `<split>-<modality>.present.npy` [N] bool is there where
one lacks it. `<split>.labels.npy` are class numbers int32, of which sample i has those before
`<split>.label_ends.npy` [N] int64 and not before that of sample i - 1; `<split>.groups.npy` [N] int64 are groups.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from spikinghash.data.label_sets import LabelSets
from spikinghash.data.sample_file import SampleFile, checksums_of
from spikinghash.data.samples import Samples
from spikinghash.files import write_json

HEADER = "cache.json"
_VERSION = 3


class SplitFiles(BaseModel):
    """Number of samples, and the SHA-256 of every file but the inputs by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    samples: int
    sha256: dict[str, str]


class CacheHeader(BaseModel):
    """`store` is the SHA-256 of the store's file, `modalities` and `classes` the names of what it has, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    version: int = _VERSION
    store: str
    modalities: list[str]
    classes: list[str]
    splits: dict[str, SplitFiles]


@dataclass(frozen=True)
class CachedSplit:
    """N samples: inputs by modality, who has them where some do not, the classes of each, int64 [N] groups."""

    inputs: Mapping[str, Samples]
    present: dict[str, NDArray[np.bool_]]
    labels: LabelSets
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def inputs_path(folder: Path, split: str, modality: str) -> Path:
    """Where the inputs of one modality of a split are."""
    return folder / f"{split}-{modality}.npy"


def present_path(folder: Path, split: str, modality: str) -> Path:
    """Where it says which samples have them."""
    return folder / f"{split}-{modality}.present.npy"


def row_path(folder: Path, split: str, what: str) -> Path:
    """Where the `labels`, `label_ends` or `groups` of a split are."""
    return folder / f"{split}.{what}.npy"


def write_array(path: Path, values: NDArray[np.generic]) -> dict[str, str]:
    """Write one of the small files; returns its SHA-256 by its name."""
    np.save(path, values)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}


def write_header(folder: Path, header: CacheHeader) -> None:
    """The last file of a cache to be written."""
    write_json(folder / HEADER, header.model_dump())


def read_header(folder: Path, store: str) -> CacheHeader:
    """The header of a cache of the store with that digest; raises `ValueError` or `OSError` where it is no such one."""
    header = CacheHeader.model_validate_json((folder / HEADER).read_bytes())
    if (header.version, header.store) != (_VERSION, store):
        raise ValueError(f"{folder} is a cache of another store, or of another version")
    return header


def open_split(folder: Path, split: str, header: CacheHeader) -> CachedSplit:
    """The samples of a split; raises `ValueError` or `OSError` where a file is missing or not as it was written."""
    files = header.splits[split]

    def read(path: Path, dtype: type, length: int | None) -> NDArray[Any]:
        return _read_array(path, files.sha256, dtype, length)

    inputs: dict[str, Samples] = {}
    present: dict[str, NDArray[np.bool_]] = {}
    for name in header.modalities:
        path = inputs_path(folder, split, name)
        inputs[name] = SampleFile(path, read(path.with_name(checksums_of(path)), np.uint32, files.samples))
        mask = present_path(folder, split, name)
        if mask.name in files.sha256:
            present[name] = read(mask, np.bool_, files.samples)
    ends = read(row_path(folder, split, "label_ends"), np.int64, files.samples)
    numbers = read(row_path(folder, split, "labels"), np.int32, None)
    groups = read(row_path(folder, split, "groups"), np.int64, files.samples)
    return CachedSplit(inputs, present, LabelSets(ends, numbers, len(header.classes)), groups)


def _read_array(path: Path, sha256: dict[str, str], dtype: type, length: int | None) -> NDArray[Any]:
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256.get(path.name):
        raise ValueError(f"{path} is not as it was written")
    values = np.load(path)
    if values.ndim != 1 or length not in (None, len(values)) or values.dtype != dtype:
        raise ValueError(f"{path} does not hold {length} numbers")
    return values
