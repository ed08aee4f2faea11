"""The Parquet columns of a frame store, and the way between them and rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from spikinghash.frames.accumulate import Frames
from spikinghash.frames.schema import ClipRow, FrameMeta

META_KEY = b"spikinghash.frames"
#: Columns whose values repeat, and those whose smallest and largest value help a query.
DICTIONARY_COLUMNS = ["label", "split"]
STATISTICS_COLUMNS = ["clip_id", "recording_id", "label", "split", "start_us", "end_us"]


def frame_schema(meta: FrameMeta) -> pa.Schema:
    """Schema of `frames.parquet`; counts are C-ordered [T, 2, H, W] in little-endian bytes."""
    text, number = pa.string(), pa.int64()
    fields = [
        pa.field("clip_id", text, nullable=False),
        pa.field("recording_id", text, nullable=False),
        pa.field("label", text),
        pa.field("split", text, nullable=False),
        pa.field("start_us", number, nullable=False),
        pa.field("end_us", number, nullable=False),
        pa.field("events_in", number, nullable=False),
        pa.field("events_framed", number, nullable=False),
        pa.field("dropped", pa.map_(text, number), nullable=False),
        pa.field("sha256", text, nullable=False),
        pa.field("counts", pa.binary(meta.clip_bytes), nullable=False),
    ]
    return pa.schema(fields, metadata={META_KEY: meta.to_json().encode()})


def to_table(rows: Sequence[ClipRow], counts: Sequence[Frames], meta: FrameMeta) -> pa.Table:
    """Rows and their counts as one Arrow table."""
    schema = frame_schema(meta)
    columns: dict[str, list[Any]] = {
        name: [getattr(row, name) for row in rows] for name in schema.names if name not in ("dropped", "counts")
    }
    columns["dropped"] = [sorted(row.dropped.items()) for row in rows]
    columns["counts"] = [one.astype(_little_endian(meta), copy=False).tobytes() for one in counts]
    return pa.table(columns, schema=schema)


def to_rows(table: pa.Table) -> list[ClipRow]:
    """Rows of a table without its counts."""
    records = table.drop_columns(["counts"]).to_pylist() if "counts" in table.column_names else table.to_pylist()
    return [ClipRow(**(record | {"dropped": dict(record["dropped"])})) for record in records]


def to_counts(column: pa.ChunkedArray, meta: FrameMeta) -> Frames:
    """Counts [N, T, 2, H, W] of a column, as a new writable array."""
    parts = [_view(chunk, meta) for chunk in column.chunks]
    empty = np.empty((0, *meta.shape), dtype=meta.dtype)
    return np.concatenate([empty, *parts]).astype(meta.dtype, copy=False)


def _view(chunk: pa.FixedSizeBinaryArray, meta: FrameMeta) -> Frames:
    data = chunk.buffers()[1]
    start = chunk.offset * meta.clip_bytes
    flat = np.frombuffer(data, dtype=np.uint8)[start : start + len(chunk) * meta.clip_bytes]
    return flat.view(_little_endian(meta)).reshape(len(chunk), *meta.shape)


def _little_endian(meta: FrameMeta) -> np.dtype[Any]:
    return np.dtype(meta.dtype).newbyteorder("<")
