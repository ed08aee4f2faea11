"""Every data file of a table looked at on its own, so that one that is gone hides nothing of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from pyarrow import fs

from spikinghash.codes.data_digest import digest_in, wrong
from spikinghash.codes.store_errors import is_forbidden, store_errors
from spikinghash.codes.table_files import DataFile, data_files, files_of, read_file
from spikinghash.errors import BadStore


@dataclass(frozen=True)
class FileCheck:
    """A data file and its rows, or the `problem` for which they cannot be used."""

    file: DataFile
    rows: pa.Table | None
    problem: str | None = None


def check_files(table: DeltaTable, schema: pa.Schema) -> Iterator[FileCheck]:
    """Compare the contents of every data file with what was committed, and read its columns of `schema`.

    Raises `Temporary` for a store that does not answer and `BadStore` for files that we may not read: neither says
    anything about the rows.
    """
    store = files_of(table)
    for file in sorted(data_files(table), key=lambda file: file.path):
        yield _check(store, file, schema)


def unlisted_files(
    store: fs.FileSystem, paths: Sequence[str], keys: Sequence[str], schema: pa.Schema
) -> list[FileCheck]:
    """Those of `paths` that are named by their contents and hold what their name says; `keys` partition the table."""
    found = []
    for path in paths:
        parts = dict(part.split("=", 1) for part in PurePosixPath(path).parts[:-1] if "=" in part)
        if digest_in(path) is not None and set(parts) == set(keys):
            partition: dict[str, str | None] = {key: unquote(parts[key]) for key in keys}
            check = _check(store, DataFile(path, store.get_file_info(path).size, None, partition), schema)
            found += [check] if check.problem is None else []
    return found


def _check(store: fs.FileSystem, file: DataFile, schema: pa.Schema) -> FileCheck:
    try:
        with store_errors(file.path):
            problem = wrong(store, file.path, file.size) or _misplaced(file)
            if problem:
                return FileCheck(file, None, problem)
            rows = read_file(store, file, schema.names).cast(schema)
    except BadStore as error:
        if is_forbidden(error.__cause__):
            raise
        return FileCheck(file, None, f"cannot be read: {str(error.__cause__).splitlines()[0]}")
    except (pa.ArrowException, ValueError, KeyError) as error:
        return FileCheck(file, None, f"cannot be read: {str(error).splitlines()[0]}")
    if file.rows is not None and file.rows != rows.num_rows:
        return FileCheck(file, None, f"has {rows.num_rows} rows, {file.rows} were committed")
    return FileCheck(file, rows)


def _misplaced(file: DataFile) -> str | None:
    """A file in the folder of another model than the log says: one of the two names was changed."""
    for part in PurePosixPath(file.path).parts[:-1]:
        name, equals, value = part.partition("=")
        if equals and name in file.partition and unquote(value) != file.partition[name]:
            return f"lies in {part}, but its log entry says {name} {file.partition[name]}"
    return None
