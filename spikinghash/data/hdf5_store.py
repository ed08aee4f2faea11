"""Reading an HDF5 sample store: one chunk per sample, damage detected by checksums, links refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from spikinghash.data.hdf5_columns import META_ATTRIBUTE, plain, read_present, read_rows
from spikinghash.data.sample_block import SampleBlock
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.store import SampleStore, no_description, one_clear_line

BLOCK_BYTES = 64 * 1024**2


class Hdf5Store(SampleStore):
    """An HDF5 sample store opened for reading."""

    @classmethod
    def read(cls, path: Path) -> Hdf5Store:
        """Open the file `path`; raises `BadStore` if it is missing, damaged or of another version."""
        with one_clear_line(path), _open(path) as file:
            described = file.attrs.get(META_ATTRIBUTE)
            if not isinstance(described, str):
                raise no_description(file.attrs)
            spec = SampleSpec.from_json(described)
            for name, one in spec.fields.items():
                data = plain(file, name)
                if data.shape[1:] != one.shape or data.dtype != one.dtype or data.chunks != (1, *one.shape):
                    raise ValueError(f"its {name} are not those of its description")
            return cls(path, spec)

    def _rows(self, split: str | None) -> list[SampleRow]:
        with _open(self.path) as file:
            return [row for row in read_rows(file, self.spec) if split in (None, row.split)]

    def _blocks(self, split: str | None, names: Sequence[str]) -> Iterator[SampleBlock]:
        most = max(1, BLOCK_BYTES // sum(self.spec.fields[name].sample_bytes for name in names))
        with _open(self.path) as file:
            inputs = {name: plain(file, name) for name in names}
            there = {name: read_present(file, name) for name in names}
            chosen = [(n, row) for n, row in enumerate(read_rows(file, self.spec)) if split in (None, row.split)]
            for first in range(0, len(chosen), most):
                some = chosen[first : first + most]
                places = np.array([place for place, _ in some])
                present = {name: there[name][places] for name in names}
                values = {
                    n: np.zeros((len(some), *self.spec.fields[n].shape), self.spec.fields[n].dtype) for n in names
                }
                for name in names:
                    for i in np.flatnonzero(present[name]):
                        inputs[name].read_direct(values[name], np.s_[places[i]], np.s_[i])
                yield SampleBlock([row for _, row in some], values, present)


def _open(path: Path) -> h5py.File:
    return h5py.File(path, "r", locking="best-effort")
