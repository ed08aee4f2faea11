"""Reading an HDF5 frame store: one chunk per clip, damage detected by checksums, links refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from spikinghash.frames.accumulate import Frames
from spikinghash.frames.hdf5_columns import COUNTS, META_ATTRIBUTE, plain, read_rows
from spikinghash.frames.schema import Batch, ClipRow, FrameMeta
from spikinghash.frames.store import FrameStore, one_clear_line

BLOCK_BYTES = 64 * 1024**2


class Hdf5Store(FrameStore):
    """An HDF5 frame store opened for reading."""

    @classmethod
    def read(cls, path: Path) -> Hdf5Store:
        """Open the file `path`; raises `BadStore` if it is missing, damaged or of another version."""
        with one_clear_line(path), _open(path) as file:
            described = file.attrs.get(META_ATTRIBUTE)
            if not isinstance(described, str):
                raise ValueError("no description; it was not written by spikinghash")
            meta = FrameMeta.from_json(described)
            counts = plain(file, COUNTS)
            if counts.shape[1:] != meta.shape or counts.dtype != meta.dtype or counts.chunks != (1, *meta.shape):
                raise ValueError("its frames are not those of its description")
            return cls(path, meta)

    def _rows(self, split: str | None) -> list[ClipRow]:
        with _open(self.path) as file:
            return [row for row in read_rows(file) if split in (None, row.split)]

    def _blocks(self, split: str | None) -> Iterator[Batch]:
        most = max(1, BLOCK_BYTES // self.meta.clip_bytes)
        with _open(self.path) as file:
            counts = plain(file, COUNTS)
            chosen = [(place, row) for place, row in enumerate(read_rows(file)) if split in (None, row.split)]
            for first in range(0, len(chosen), most):
                some = chosen[first : first + most]
                frames: Frames = np.empty((len(some), *self.meta.shape), dtype=self.meta.dtype)
                for i, (place, _) in enumerate(some):
                    counts.read_direct(frames, np.s_[place], np.s_[i])
                yield frames, [row for _, row in some]


def _open(path: Path) -> h5py.File:
    return h5py.File(path, "r", locking="best-effort")
