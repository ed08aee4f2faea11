"""The data files of a Delta table as Arrow reads them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlparse

import pyarrow.dataset as ds
from deltalake import DeltaTable
from pyarrow import fs


def local_folder(table: DeltaTable) -> Path | None:
    """The folder of a local table, None for one in an object store."""
    address = urlparse(table.table_uri)
    return Path(unquote(address.path)) if address.scheme in ("", "file") else None


def dataset_of(table: DeltaTable) -> ds.Dataset:
    """The snapshot as an Arrow dataset, paths relative to the table.

    Local files are read by Arrow itself. Through delta-rs its threads would call Python, and one that still does so as
    the interpreter ends aborts the process.
    """
    folder = local_folder(table)
    if folder is None:
        return table.to_pyarrow_dataset()
    return table.to_pyarrow_dataset(filesystem=fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem()))
