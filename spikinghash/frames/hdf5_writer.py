"""Writing an HDF5 frame store: once, whole or not at all; it is never appended to.

HDF5 files that were being written when a program ended cannot be read (h5py#1807, h5py#2340), so a draft becomes the
store only when it is complete and flushed.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import h5py

from spikinghash.files import publish
from spikinghash.frames.accumulate import Frames
from spikinghash.frames.hdf5_columns import META_ATTRIBUTE, create_counts, write_rows
from spikinghash.frames.schema import ClipRow, FrameMeta
from spikinghash.frames.store_files import STORE_FILES, remove_other
from spikinghash.frames.validate_clip import validate_clip

#: The data set of frames grows by so many clips at a time.
GROW = 256


class Hdf5Writer:
    """Context manager that writes `<folder>/frames.h5`, which appears when the block ends without an error.

    Same rows in the same order give the same bytes (with one version of h5py and HDF5). One clip is held in memory.
    """

    def __init__(self, folder: Path, meta: FrameMeta) -> None:
        self.meta = meta
        self._path = folder / STORE_FILES["hdf5"]
        self._rows: list[ClipRow] = []
        self._ids: set[str] = set()
        self._stack = ExitStack()

    def __enter__(self) -> Hdf5Writer:
        with ExitStack() as stack:
            draft = stack.enter_context(publish(self._path))
            self._file = stack.enter_context(h5py.File(draft, "w", libver=("earliest", "v110"), track_order=False))
            self._file.attrs[META_ATTRIBUTE] = self.meta.to_json()
            self._counts = create_counts(self._file, self.meta)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            # hand the error on, so that the draft is removed instead of published
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._counts.resize(len(self._rows), axis=0)
            write_rows(self._file, self._rows)
        remove_other(self._path.parent, "hdf5")

    def add(self, row: ClipRow, counts: Frames) -> None:
        """Append one clip with its frames [T, 2, H, W]; raises `ValueError` as `validate_clip` does."""
        validate_clip(row, counts, self.meta, self._ids)
        if len(self._rows) == len(self._counts):
            self._counts.resize(len(self._rows) + GROW, axis=0)
        self._counts[len(self._rows)] = counts
        self._rows.append(row)
