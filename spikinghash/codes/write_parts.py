"""Data files of a table: named by their contents, pages with checksums, and on disk before the log names them."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.transaction import AddAction

from spikinghash.codes.data_digest import name_of
from spikinghash.codes.table_files import files_of, local_folder
from spikinghash.files import flush


def write_parts(table: DeltaTable, rows: pa.Table, *, data_change: bool = True) -> list[AddAction]:
    """Write `rows` as one data file for each partition; none is left behind on failure."""
    written: list[str] = []
    actions: list[AddAction] = []
    try:
        for values, part in _parts(rows, table.metadata().partition_columns):
            sink = io.BytesIO()
            pq.write_table(part, sink, compression="zstd", write_page_checksum=True)
            content = sink.getvalue()
            place = "/".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
            written.append(f"{place}/{name_of(content)}" if place else name_of(content))
            _write(table, written[-1], content)
            stats = json.dumps({"numRecords": part.num_rows})
            actions.append(
                AddAction(written[-1], len(content), values, int(time.time() * 1000), data_change, stats)
            )  # fmt: skip
    except BaseException:
        discard(table, written)
        raise
    return actions


def discard(table: DeltaTable, paths: list[str]) -> None:
    """Delete data files that no log entry names, as far as that is possible."""
    for path in paths:
        with suppress(OSError):
            files_of(table).delete_file(path)


def _parts(rows: pa.Table, partition_by: list[str]) -> Iterator[tuple[dict[str, str], pa.Table]]:
    """(partition values, rows without the partition columns); at most one column partitions our tables."""
    if not partition_by:
        yield {}, rows
        return
    (name,) = partition_by
    for value in pc.unique(rows.column(name)).to_pylist():
        yield {name: value}, rows.filter(pc.field(name) == value).drop_columns([name])


def _write(table: DeltaTable, path: str, content: bytes) -> None:
    folder = local_folder(table)
    if folder is None:  # an object store keeps what it has confirmed
        with files_of(table).open_output_stream(path) as out:
            out.write(content)
        return
    place = folder / path
    new_folder = not place.parent.exists()
    place.parent.mkdir(exist_ok=True)
    with Path(place).open("xb") as out:
        out.write(content)
    flush(place)
    flush(place.parent)
    if new_folder:
        flush(folder)
