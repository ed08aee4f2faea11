"""Writing an HDF5 sample store: once, whole or not at all; it is never appended to.

HDF5 files that were being written when a program ended cannot be read (h5py#1807, h5py#2340), so a draft becomes the
store only when it is complete and flushed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import h5py
from numpy.typing import NDArray

from spikinghash.data.hdf5_columns import META_ATTRIBUTE, create_inputs, write_rows
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.sample_writer import SampleWriter
from spikinghash.data.store_files import StoreKind

#: The data sets of inputs grow by so many samples at a time.
GROW = 256


class Hdf5Writer(SampleWriter):
    """Writes `<folder>/samples.h5`.

    Same rows in the same order give the same bytes (with one version of h5py and HDF5). One sample is held in memory.
    """

    kind: ClassVar[StoreKind] = "hdf5"

    def __init__(self, folder: Path, spec: SampleSpec) -> None:
        super().__init__(folder, spec)
        self._present: dict[str, list[int]] = {name: [] for name in spec.fields}

    def _open(self, draft: Path, stack: ExitStack) -> None:
        # headers of this version carry checksums; before, a flipped bit could change a type unnoticed
        self._file = stack.enter_context(h5py.File(draft, "w", libver=("v110", "v110"), track_order=False))
        self._file.attrs[META_ATTRIBUTE] = self.spec.to_json()
        self._inputs = create_inputs(self._file, self.spec)

    def _append(self, row: SampleRow, values: Mapping[str, NDArray[Any]]) -> None:
        place = len(self._rows)
        for name, one in self._inputs.items():
            if place == len(one):
                one.resize(place + GROW, axis=0)
            if name in values:
                one[place] = values[name]
            self._present[name].append(name in values)
        self._rows.append(row)

    def _finish(self) -> None:
        for one in self._inputs.values():
            one.resize(len(self._rows), axis=0)
        write_rows(self._file, self.spec, self._rows, self._present)
