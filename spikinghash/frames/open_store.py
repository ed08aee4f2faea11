"""Opening frame stores for reading and writing without knowing their file format."""

from __future__ import annotations

from pathlib import Path

from spikinghash.frames.hdf5_store import Hdf5Store
from spikinghash.frames.hdf5_writer import Hdf5Writer
from spikinghash.frames.parquet_store import ParquetStore
from spikinghash.frames.schema import FrameMeta
from spikinghash.frames.store import FrameStore
from spikinghash.frames.store_files import StoreKind, find_store
from spikinghash.frames.writer import FrameWriter


def open_store(place: Path) -> FrameStore:
    """Open the store in the folder `place`, or the file `place`, for reading; its content says which kind it is.

    Raises `BadStore` if there is none or two, or it is damaged or of another version.
    """
    kind, path = find_store(place)
    return ParquetStore.read(path) if kind == "parquet" else Hdf5Store.read(path)


def create_store(folder: Path, meta: FrameMeta, kind: StoreKind) -> FrameWriter | Hdf5Writer:
    """A writer for a new store in `folder`, to be used as a context manager; an older store is then replaced."""
    return FrameWriter(folder, meta) if kind == "parquet" else Hdf5Writer(folder, meta)
