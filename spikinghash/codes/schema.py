"""What one row of the code database and one row of its quarantine hold."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from spikinghash.errors import BadStore

#: One clip hashed by one model. `code` holds K/8 bytes in the bit order of `codes.packing`.
CODE_ROWS = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("recording", pa.string(), nullable=False),
        pa.field("recording_sha256", pa.string(), nullable=False),
        pa.field("archive", pa.string()),
        pa.field("split", pa.string()),
        pa.field("start_us", pa.int64(), nullable=False),
        pa.field("end_us", pa.int64(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("code", pa.binary(), nullable=False),
        pa.field("min_margin", pa.float32()),
        pa.field("model", pa.string(), nullable=False),
        pa.field("frames", pa.string(), nullable=False),
        pa.field("encoded_at", pa.timestamp("us", "UTC"), nullable=False),
    ]
)

#: One recording that one model's encoding refused. `sha256` is null where the bytes could not be read.
QUARANTINE_ROWS = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("sha256", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("offset", pa.int64()),
        pa.field("message", pa.string(), nullable=False),
        pa.field("reader", pa.string()),
        pa.field("model", pa.string(), nullable=False),
        pa.field("seen_at", pa.timestamp("us", "UTC"), nullable=False),
    ]
)

#: What makes a row the same row. Appending a row whose key is there already does nothing.
CODE_KEY = ("clip_id", "model")
QUARANTINE_KEY = ("sha256", "path", "model")


def path_text(path: str | Path) -> str:
    r"""A file name as text for a row: bytes that are not UTF-8 become `\xNN`, since Arrow strings are UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def conform(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """`rows` with the columns of `schema` in its order; missing nullable columns are filled with nulls.

    Raises `BadStore` for unknown or missing columns, values that do not fit, and nulls where none may be.
    """
    unknown = sorted(set(rows.column_names) - set(schema.names))
    if unknown:
        raise BadStore(f"rows have columns that the table does not know: {', '.join(unknown)}")
    columns = []
    for field in schema:
        if field.name in rows.column_names:
            try:
                columns.append(rows.column(field.name).cast(field.type))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise BadStore(f"column {field.name} does not fit type {field.type}: {error}") from None
        elif field.nullable:
            columns.append(pa.chunked_array([pa.nulls(rows.num_rows, field.type)]))
        else:
            raise BadStore(f"rows lack the column {field.name}")
        if not field.nullable and columns[-1].null_count:
            raise BadStore(f"column {field.name} has {columns[-1].null_count} nulls; it may have none")
    return pa.table(columns, schema=schema)


def code_width(rows: pa.Table) -> int:
    """Bytes of the codes in `rows`, 0 for no rows; `BadStore` if they differ or are empty."""
    if rows.num_rows == 0:
        return 0
    span = pc.min_max(pc.binary_length(rows.column("code"))).as_py()
    if span["min"] != span["max"] or not span["min"]:
        raise BadStore(f"codes of one model have different widths: {span['min']} to {span['max']} bytes")
    return int(span["min"])
