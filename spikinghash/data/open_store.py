"""Opening sample stores for reading and writing without knowing their file format."""

from __future__ import annotations

from pathlib import Path

from spikinghash.data.hdf5_store import Hdf5Store
from spikinghash.data.hdf5_writer import Hdf5Writer
from spikinghash.data.parquet_store import ParquetStore
from spikinghash.data.parquet_writer import ParquetWriter
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.sample_writer import SampleWriter
from spikinghash.data.store import SampleStore
from spikinghash.data.store_files import StoreKind, find_store


def open_store(place: Path) -> SampleStore:
    """Open the store in the folder `place`, or the file `place`, for reading; its content says which kind it is.

    Raises `BadStore` if there is none or two, or it is damaged or of another version.
    """
    kind, path = find_store(place)
    return ParquetStore.read(path) if kind == "parquet" else Hdf5Store.read(path)


def create_store(folder: Path, spec: SampleSpec, kind: StoreKind) -> SampleWriter:
    """A writer for a new store in `folder`, to be used as a context manager; an older store is then replaced."""
    return ParquetWriter(folder, spec) if kind == "parquet" else Hdf5Writer(folder, spec)
