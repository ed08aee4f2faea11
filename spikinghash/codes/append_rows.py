"""One commit of rows, on disk before it is reported.

delta-rs writes files, and their names, without asking the disk to keep them: after a loss of power the log may name a
file that is empty. So for a table in a local folder the data file is flushed before the log names it, and the log entry
before anyone is told.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import AddAction, RemoveAction, Transaction

from spikinghash.codes.log_check import ACTIONS_KEY
from spikinghash.codes.newest import remember
from spikinghash.codes.table_files import DataFile, local_folder
from spikinghash.codes.write_parts import write_parts
from spikinghash.files import flush


def append_rows(table: DeltaTable, rows: pa.Table, marks: Sequence[Transaction]) -> None:
    """Append `rows` as one commit on the snapshot `table`; raises what delta-rs, Arrow and the disk raise.

    When it fails before the commit nothing has changed; when flushing the log entry fails the rows are there.
    """
    # from here on the files stay whatever happens: an error may come from a commit that was made
    commit_files(table, write_parts(table, rows), [], marks)


def commit_files(
    table: DeltaTable, added: Sequence[AddAction], removed: Sequence[DataFile], marks: Sequence[Transaction]
) -> None:
    """One commit that adds and removes data files, on disk when this returns."""
    now_ms = int(time.time() * 1000)
    change = any(action.data_change for action in added) or not added
    actions: list[AddAction | RemoveAction] = [
        *added,
        *(RemoveAction(file.path, change, now_ms, file.size, file.partition) for file in removed),
    ]
    # an entry that was cut at the end of a line is valid JSON: it says itself how many actions it has
    properties = CommitProperties(custom_metadata={ACTIONS_KEY: str(len(actions))}, app_transactions=list(marks))
    before = table.version()
    partition_by = table.metadata().partition_columns
    table.create_write_transaction(actions, "append", table.schema(), partition_by, commit_properties=properties)
    table.update_incremental()
    folder = local_folder(table)
    if folder is not None:
        for version in range(before + 1, table.version() + 1):
            flush(folder / "_delta_log" / f"{version:020}.json")
        flush(folder / "_delta_log")
        remember(folder, table)


def next_mark(table: DeltaTable, app: str) -> Transaction:
    """A mark that makes two commits of the same `app` on the same snapshot exclude each other."""
    last = table.transaction_version(app)
    return Transaction(app, 0 if last is None else last + 1)
