"""Samples of a NumPy file, read by number: one system call a sample, straight into the batch.

A file that is mapped into memory counts as the reader's memory, and what a disk cannot read ends the process. `pread`
has neither trait. The checksum takes more time than the reading, and both little beside a training step; figures are
those of `bench/streaming.py`.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadStore


class SampleFile:
    """An open `.npy` file of samples [N, ...]; fulfils `Samples`.

    `crc32` [N] are the checksums that each sample is held against when it is read.
    """

    def __init__(self, path: Path, crc32: NDArray[np.uint32]) -> None:
        self.path, self.crc32 = path, crc32
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"{path.name} is of version {version}")
            shape, fortran, self.dtype = np.lib.format.read_array_header_1_0(file)
            self._first = file.tell()
            if fortran or self.dtype.hasobject or len(shape) < 2 or shape[0] != len(crc32):
                raise ValueError(f"{path.name} does not hold {len(crc32)} samples")
            self.shape: tuple[int, ...] = shape[1:]
            self._sample_bytes = int(np.prod(self.shape)) * self.dtype.itemsize
            if os.fstat(file.fileno()).st_size != self._first + len(crc32) * self._sample_bytes:
                raise ValueError(f"{path.name} is not as long as it should be")
            # kept open: the file may be replaced or removed meanwhile
            self._handle = os.dup(file.fileno())

    def __len__(self) -> int:
        return len(self.crc32)

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process: it opens the file itself."""
        return SampleFile, (self.path, self.crc32)

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            os.close(self._handle)

    def read(self, rows: Sequence[int]) -> NDArray[Any]:
        """Rows by number -> samples [B, ...] of the store's type; raises `BadStore` for a damaged one."""
        out = np.empty((len(rows), *self.shape), self.dtype)
        for sample, row in zip(out, rows, strict=True):
            view = memoryview(sample).cast("B")
            try:
                count = os.preadv(self._handle, [view], self._place(row))
            except OSError as error:
                raise self._damaged(row, error.strerror or "not readable") from error
            if count != self._sample_bytes or zlib.crc32(view) != self.crc32[row]:
                raise self._damaged(row, "not as it was written")
        return out

    def advise(self, rows: Sequence[int]) -> None:
        """Tell the system which samples come next, so that it fetches them from the disk while others are computed."""
        for row in rows:
            os.posix_fadvise(self._handle, self._place(row), self._sample_bytes, os.POSIX_FADV_WILLNEED)

    def _place(self, row: int) -> int:
        if not 0 <= row < len(self):
            raise IndexError(f"no sample {row} of {len(self)}")
        return self._first + int(row) * self._sample_bytes

    def _damaged(self, row: int, why: str) -> BadStore:
        """The error to raise; without its checksums the cache is made anew when it is next opened."""
        self.path.with_name(checksums_of(self.path)).unlink(missing_ok=True)
        return BadStore(f"{self.path}: sample {row} is {why}; run again, the cache is then made anew")


def checksums_of(path: Path) -> str:
    """Name of the file of checksums beside a file of samples."""
    return f"{path.stem}.crc32.npy"
