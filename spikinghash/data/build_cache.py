"""Writing a store's samples without compression, in one pass, into a folder that nobody reads yet."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spikinghash.data.cache_header import (
    CacheHeader,
    SplitFiles,
    inputs_path,
    present_path,
    row_path,
    write_array,
    write_header,
)
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.sample_block import SampleBlock
from spikinghash.data.sample_file import checksums_of
from spikinghash.data.sample_spec import FieldSpec
from spikinghash.data.store import SampleStore
from spikinghash.errors import BadStore
from spikinghash.files import flush
from spikinghash.schema import SPLITS

#: Samples are handed over so many bytes at a time.
_AT_ONCE = 16 * 1024**2
#: What a sample takes beside its inputs: an end of labels, a few of them, a group, checksums.
_ROW_BYTES = 32


def cache_bytes(store: SampleStore) -> int:
    """Room that the cache of a store takes, in bytes."""
    return len(store.rows(None)) * (store.spec.sample_bytes + _ROW_BYTES) + 8192


def build_cache(store: SampleStore, digest: str, draft: Path, watch: Callable[[int, int], Any] | None = None) -> None:
    """Fill the empty folder `draft` and have the disk keep it. `watch` is called with samples done and samples in all.

    Raises `BadStore` for damage, and where the store's digest is not `digest`.
    """
    if store.digest != digest:
        raise BadStore(f"{store.path}: changed while it was being used; run again")
    sizes = Counter(row.split for row in store.rows(None))
    numbers = {name: i for i, name in enumerate(store.classes)}
    groups: dict[str, int] = {}
    done = 0
    with ExitStack() as stack:
        outs = {split: _SplitWriter(draft, split, sizes[split], store, stack) for split in SPLITS}
        for block in store.iter_batches(None, max(1, _AT_ONCE // store.spec.sample_bytes)):
            for place, row in enumerate(block.rows):
                group = groups.setdefault(row.group, len(groups))
                outs[row.split].add(block, place, [numbers[label] for label in row.labels], group)
            done += len(block)
            if watch is not None:
                watch(done, sizes.total())
    splits = {split: out.finish(len(numbers)) for split, out in outs.items()}
    for path in draft.iterdir():
        flush(path)
    names = list(store.spec.fields)
    write_header(draft, CacheHeader(store=digest, modalities=names, classes=store.classes, splits=splits))


class _SplitWriter:
    """The files of one split, which are written sample by sample."""

    def __init__(self, draft: Path, split: str, samples: int, store: SampleStore, stack: ExitStack) -> None:
        self._draft, self._split, self._samples, self._fields = draft, split, samples, store.spec.fields
        self._files = {
            name: stack.enter_context(_create(inputs_path(draft, split, name), samples, one))
            for name, one in self._fields.items()
        }
        self._crc32: dict[str, list[int]] = {name: [] for name in self._fields}
        self._present: dict[str, list[bool]] = {name: [] for name in self._fields}
        self._labels: list[list[int]] = []
        self._groups: list[int] = []

    def add(self, block: SampleBlock, place: int, labels: list[int], group: int) -> None:
        """The next sample, number `place` of a block."""
        for name, one in self._fields.items():
            data = block.values[name][place].astype(_little_endian(one), copy=False).tobytes()
            self._files[name].write(data)
            self._crc32[name].append(zlib.crc32(data))
            self._present[name].append(bool(block.present[name][place]))
        self._labels.append(labels)
        self._groups.append(group)

    def finish(self, classes: int) -> SplitFiles:
        """Write the small files."""
        labels, split = LabelSets.of(self._labels, classes), self._split
        sha256 = write_array(row_path(self._draft, split, "labels"), labels.numbers)
        sha256 |= write_array(row_path(self._draft, split, "label_ends"), labels.ends)
        sha256 |= write_array(row_path(self._draft, split, "groups"), np.array(self._groups, np.int64))
        for name in self._fields:
            path = inputs_path(self._draft, split, name)
            sha256 |= write_array(path.with_name(checksums_of(path)), np.array(self._crc32[name], np.uint32))
            if not all(self._present[name]):
                sha256 |= write_array(present_path(self._draft, split, name), np.array(self._present[name], np.bool_))
        return SplitFiles(samples=self._samples, sha256=sha256)


def _create(path: Path, samples: int, one: FieldSpec) -> BinaryIO:
    """A file with the header that NumPy gives an array of all the samples to come."""
    file = path.open("wb")
    described = {"descr": _little_endian(one).str, "fortran_order": False, "shape": (samples, *one.shape)}
    np.lib.format.write_array_header_1_0(file, described)
    return file


def _little_endian(one: FieldSpec) -> np.dtype[Any]:
    return np.dtype(one.dtype).newbyteorder("<")
