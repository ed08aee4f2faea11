"""The data files of a Delta table as Arrow reads them: inside the table, and with the contents that were committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler
from pyarrow import fs

from spikinghash.codes.data_digest import digest_in, wrong_once
from spikinghash.codes.store_errors import ADVICE
from spikinghash.errors import BadStore
from spikinghash.redact import redact
from spikinghash.remote_store import open_store

#: Page checksums are compared: a flipped bit is an error, never another code.
FORMAT = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(pre_buffer=True, page_checksum_verification=True)
)


@dataclass(frozen=True)
class DataFile:
    """A data file that the log names: its path in the table, bytes and rows as committed, and its partition."""

    path: str
    size: int
    rows: int | None
    partition: dict[str, str | None]

    @property
    def digest(self) -> str | None:
        """SHA-256 of the committed contents in hex; None for a file that other writers or older versions made."""
        return digest_in(self.path)


def local_folder(table: DeltaTable) -> Path | None:
    """The folder of a local table, None for one in an object store."""
    address = urlparse(table.table_uri)
    return Path(unquote(address.path)) if address.scheme in ("", "file") else None


def folder_of(where: str) -> Path | None:
    """The folder of the table at an address, None in an object store."""
    if where.startswith("file://"):
        return Path(unquote(urlparse(where).path))
    return None if "://" in where else Path(where)


def open_files(where: str, options: dict[str, str] | None = None) -> fs.FileSystem:
    """The files of the table at an address, paths relative to it; local ones are read by Arrow itself.

    Through delta-rs its threads would call Python, and one that still does so as the interpreter ends aborts the
    process.
    """
    folder = folder_of(where)
    if folder is not None:
        return fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem())
    if where.startswith(("s3://", "s3a://")):
        store, path = open_store(where, options)
        return fs.SubTreeFileSystem(path, store)
    return fs.PyFileSystem(DeltaStorageHandler(where, options))


def files_of(table: DeltaTable) -> fs.FileSystem:
    """The files of an open table, as `open_files`."""
    folder = local_folder(table)
    return open_files(table.table_uri if folder is None else str(folder), table._storage_options)


def data_files(table: DeltaTable) -> list[DataFile]:
    """The data files of a snapshot, in no particular order; `BadStore` for one that would lie outside the table."""
    actions = pa.table(table.get_add_actions(flatten=True))
    keys = table.metadata().partition_columns
    columns = {"path": None, "size_bytes": 0, "num_records": None} | {f"partition.{key}": None for key in keys}
    wanted = [name for name in columns if name in actions.column_names]
    found = []
    for row in actions.select(wanted).to_pylist():
        action = columns | row
        path = inside(action["path"], table.table_uri)
        part = {key: action[f"partition.{key}"] for key in keys}
        found.append(DataFile(path, action["size_bytes"], action["num_records"], part))
    return found


def inside(logged: str, where: str) -> str:
    """The path of a data file in its table; `BadStore` for an absolute one, an address or one that leaves the table."""
    path = unquote(logged)
    parts = PurePosixPath(path).parts
    if not parts or "://" in path or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        place = redact(where.removeprefix("file://").rstrip("/"))
        raise BadStore(f"{place}: its log names {redact(path)!r}, which is no file of this table; do not use it")
    return PurePosixPath(path).as_posix()


def dataset_of(table: DeltaTable, files: Sequence[DataFile] | None = None, check: bool = True) -> ds.Dataset:
    """A snapshot, or some of its files, as an Arrow dataset, paths relative to the table.

    With `check` files in a local folder are compared with what was committed, each once in a process; in an object
    store, whose services do that themselves, the checksums of the pages read are. `BadStore` names the first that
    differs.
    """
    store = files_of(table)
    chosen = data_files(table) if files is None else files
    if check and local_folder(table) is not None:
        for file in chosen:
            if problem := wrong_once(store, file.path, file.size):
                place = table.table_uri.removeprefix("file://").rstrip("/")
                raise BadStore(f"{redact(unquote(place))}/{file.path}: damaged or unreadable: {problem}; {ADVICE}")
    schema = pa.schema(table.schema().to_arrow())
    fragments = [FORMAT.make_fragment(file.path, store, _partition(file)) for file in chosen]
    return ds.FileSystemDataset(fragments, schema, FORMAT, store)


def _partition(file: DataFile) -> pc.Expression:
    expression = pc.scalar(True)
    for name, value in file.partition.items():
        same = pc.field(name).is_null() if value is None else pc.field(name) == value
        expression = expression & same
    return expression


def read_file(store: fs.FileSystem, file: DataFile, columns: Sequence[str]) -> pa.Table:
    """Columns of one data file; those of its partition are not in the file. Raises what Arrow and the disk raise."""
    stored: Any = FORMAT.make_fragment(file.path, store).to_table(
        columns=[name for name in columns if name not in file.partition]
    )
    for name in columns:
        if name in file.partition:
            value = pa.repeat(pa.scalar(file.partition[name], pa.string()), stored.num_rows)
            stored = stored.append_column(name, value)
    return stored.select(list(columns))
