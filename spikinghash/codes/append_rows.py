"""One commit of rows, on disk before it is reported.

delta-rs writes files, and their names, without asking the disk to keep them: after a loss of power the log may name a
file that is empty. So for a table in a local folder the data file is flushed before the log names it, and the log entry
before anyone is told.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.transaction import AddAction, RemoveAction

from spikinghash.codes.table_files import local_folder
from spikinghash.files import flush


def append_rows(table: DeltaTable, rows: pa.Table, properties: CommitProperties) -> None:
    """Append `rows` as one commit on the snapshot `table`; raises what delta-rs, Arrow and the disk raise.

    When it fails before the commit nothing has changed; when flushing the log entry fails the rows are there.
    """
    folder = local_folder(table)
    if folder is None:  # an object store keeps what it has confirmed
        write_deltalake(table, rows, mode="append", commit_properties=properties)
        return
    partition_by = table.metadata().partition_columns
    actions = _write_parts(folder, rows, partition_by)
    before = table.version()
    # from here on the files stay whatever happens: an error may come from a commit that was made
    table.create_write_transaction(actions, "append", rows.schema, partition_by, commit_properties=properties)
    table.update_incremental()
    for version in range(before + 1, table.version() + 1):
        flush(folder / "_delta_log" / f"{version:020}.json")
    flush(folder / "_delta_log")


def _parts(rows: pa.Table, partition_by: list[str]) -> Iterator[tuple[dict[str, str], pa.Table]]:
    """(partition values, rows without the partition columns); at most one column partitions our tables."""
    if not partition_by:
        yield {}, rows
        return
    (name,) = partition_by
    for value in pc.unique(rows.column(name)).to_pylist():
        yield {name: value}, rows.filter(pc.field(name) == value).drop_columns([name])


def _write_parts(folder: Path, rows: pa.Table, partition_by: list[str]) -> list[AddAction | RemoveAction]:
    """Data files of `rows`, flushed; none is left behind on failure."""
    written: list[Path] = []
    actions: list[AddAction | RemoveAction] = []
    try:
        for values, part in _parts(rows, partition_by):
            place = folder.joinpath(*(f"{name}={quote(value, safe='')}" for name, value in values.items()))
            written.append(place / f"part-{uuid.uuid4()}.zstd.parquet")
            actions.append(_write(folder, written[-1], part, values))
    except BaseException:
        for path in written:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise
    return actions


def _write(folder: Path, path: Path, part: pa.Table, values: dict[str, str]) -> AddAction:
    new_folder = not path.parent.exists()
    path.parent.mkdir(exist_ok=True)
    pq.write_table(part, path, compression="zstd")
    flush(path)
    flush(path.parent)
    if new_folder:
        flush(folder)
    where = path.relative_to(folder).as_posix()
    stats = json.dumps({"numRecords": part.num_rows})
    return AddAction(where, path.stat().st_size, values, int(time.time() * 1000), True, stats)
