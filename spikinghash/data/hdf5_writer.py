"""Writing an HDF5 sample store: once, whole or not at all; it is never appended to.

HDF5 files that were being written when a program ended cannot be read (h5py#1807, h5py#2340), so a draft becomes the
store only when it is complete and flushed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
from numpy.typing import NDArray

from spikinghash.data.hdf5_columns import META_ATTRIBUTE, create_inputs, write_rows
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.store_files import STORE_FILES, remove_other
from spikinghash.data.validate_sample import validate_sample
from spikinghash.files import publish

#: The data sets of inputs grow by so many samples at a time.
GROW = 256


class Hdf5Writer:
    """Context manager that writes `<folder>/samples.h5`, which appears when the block ends without an error.

    Same rows in the same order give the same bytes (with one version of h5py and HDF5). One sample is held in memory.
    """

    def __init__(self, folder: Path, spec: SampleSpec) -> None:
        self.spec = spec
        self._path = folder / STORE_FILES["hdf5"]
        self._rows: list[SampleRow] = []
        self._present: dict[str, list[int]] = {name: [] for name in spec.fields}
        self._ids: set[str] = set()
        self._stack = ExitStack()

    def __enter__(self) -> Hdf5Writer:
        with ExitStack() as stack:
            draft = stack.enter_context(publish(self._path))
            # headers of this version carry checksums; before, a flipped bit could change a type unnoticed
            self._file = stack.enter_context(h5py.File(draft, "w", libver=("v110", "v110"), track_order=False))
            self._file.attrs[META_ATTRIBUTE] = self.spec.to_json()
            self._inputs = create_inputs(self._file, self.spec)
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
            for one in self._inputs.values():
                one.resize(len(self._rows), axis=0)
            write_rows(self._file, self.spec, self._rows, self._present)
        remove_other(self._path.parent, "hdf5")

    def add(self, row: SampleRow, values: Mapping[str, NDArray[Any]]) -> None:
        """Append one sample with its inputs by modality name; raises `ValueError` as `validate_sample` does."""
        validate_sample(row, values, self.spec, self._ids)
        place = len(self._rows)
        for name, one in self._inputs.items():
            if place == len(one):
                one.resize(place + GROW, axis=0)
            if name in values:
                one[place] = values[name]
            self._present[name].append(name in values)
        self._rows.append(row)
