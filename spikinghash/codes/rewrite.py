"""One commit that puts other rows, or none, in the place of data files; nobody who adds rows comes in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from spikinghash.codes.append_rows import commit_files, next_mark
from spikinghash.codes.commit import model_app
from spikinghash.codes.maintain import REWRITE
from spikinghash.codes.store_errors import store_errors
from spikinghash.codes.table_files import DataFile
from spikinghash.codes.write_parts import write_parts
from spikinghash.errors import Temporary
from spikinghash.redact import redact


def rewrite(table: DeltaTable, removed: Sequence[DataFile], rows: Iterable[pa.Table], models: Iterable[str]) -> None:
    """Remove data files of the snapshot `table` and add `rows`, columns of the table, of which some may be empty.

    `Temporary` where someone changed the table meanwhile: nothing was changed then.
    """
    with store_errors(table.table_uri, writing=True):
        added = [action for part in rows if part.num_rows for action in write_parts(table, part)]
        marks = [next_mark(table, app) for app in (REWRITE, *map(model_app, sorted(set(models))))]
        try:
            commit_files(table, added, removed, marks)
        except CommitFailedError as error:
            where = redact(table.table_uri.removeprefix("file://").rstrip("/"))
            raise Temporary(f"{where}: someone else wrote to it meanwhile; run the same command again") from error
