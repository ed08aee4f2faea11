"""Reading a frame store, whatever its file format: streamed or whole, damage refused in one clear line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np

from spikinghash.errors import BadStore
from spikinghash.files import sha256_file
from spikinghash.frames.accumulate import Frames
from spikinghash.frames.schema import Batch, ClipRow, FrameMeta
from spikinghash.schema import SPLITS


class FrameStore(ABC):
    """A frame store opened for reading; get one with `FrameStore.open`. Fulfils `FrameSource`."""

    def __init__(self, path: Path, meta: FrameMeta) -> None:
        self.path = path
        self.meta = meta

    @staticmethod
    def open(folder: Path) -> FrameStore:
        """The store in `folder`, see `open_store`."""
        from spikinghash.frames.open_store import open_store

        return open_store(folder)

    @cached_property
    def classes(self) -> list[str]:
        """Sorted names of all labels, over all splits; a class's number is its place."""
        return sorted({row.label for row in self.rows(None) if row.label is not None})

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits: the digest of the data that a metric was computed on."""
        with one_clear_line(self.path):
            return sha256_file(self.path)

    def rows(self, split: str | None) -> list[ClipRow]:
        """Rows of a split (None: all) in stored order, without reading frames."""
        check_split(split)
        with one_clear_line(self.path):
            return self._rows(split)

    def iter_batches(self, split: str | None, batch: int) -> Iterator[Batch]:
        """Yield frames [<= batch, T, 2, H, W] and their rows in stored order; only the last batch may be smaller.

        Holds about 64 MB of frames, and one batch, in memory. Raises `BadStore` on damage, `ValueError` for a batch
        below 1 or a name that is no split.
        """
        check_split(split)
        if batch < 1:
            raise ValueError(f"a batch holds at least one clip, not {batch}")
        frames, rows = np.empty((0, *self.meta.shape), dtype=self.meta.dtype), list[ClipRow]()
        for more, further in self._guarded_blocks(split):
            frames = np.concatenate([frames, more]) if len(rows) else more
            rows += further
            whole = len(rows) // batch * batch
            for first in range(0, whole, batch):
                yield frames[first : first + batch], rows[first : first + batch]
            frames, rows = frames[whole:], rows[whole:]
        if rows:
            yield frames, rows

    def load(self, split: str | None) -> Batch:
        """Frames [N, T, 2, H, W] and rows of a whole split (None: all); errors as in `iter_batches`."""
        known = self.rows(split)
        frames: Frames = np.empty((len(known), *self.meta.shape), dtype=self.meta.dtype)
        done = 0
        for some, _ in self._guarded_blocks(split):
            frames[done : done + len(some)] = some
            done += len(some)
        return frames, known

    @abstractmethod
    def _rows(self, split: str | None) -> list[ClipRow]:
        """As `rows`."""

    @abstractmethod
    def _blocks(self, split: str | None) -> Iterator[Batch]:
        """Writable frames and rows of the split in stored order, about 64 MB at a time."""

    def _guarded_blocks(self, split: str | None) -> Iterator[Batch]:
        blocks = self._blocks(split)
        while True:
            with one_clear_line(self.path):
                block = next(blocks, None)
            if block is None:
                return
            yield block


def check_split(split: str | None) -> None:
    """Raise `ValueError` for a name that is no split."""
    if split is not None and split not in SPLITS:
        raise ValueError(f"no split is called {split!r}; there are {', '.join(SPLITS)}")


@contextmanager
def one_clear_line(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes a library raise into `BadStore`."""
    try:
        yield
    except FileNotFoundError as error:
        raise BadStore(f"there is no frame store {path}; run the stage ingest first") from error
    # pyarrow's and h5py's errors are these, too
    except (ValueError, OSError, KeyError, TypeError, RuntimeError, ArithmeticError, MemoryError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadStore(f"cannot read frame store {path}: {why}; run the stage ingest again") from error
