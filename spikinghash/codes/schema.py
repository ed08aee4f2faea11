"""What one row of the code database and one row of its quarantine hold."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from spikinghash.errors import BadStore

#: One clip hashed by one model. `code` holds K/8 bytes in the bit order of `codes.packing`. Codes of one `item`, such
#: as a picture and its sentences, are rows of their own: `modality` says of what, `seen` from which modalities it was
#: made, "image+text".
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
        pa.field("labels", pa.list_(pa.string())),
        pa.field("modality", pa.string()),
        pa.field("item", pa.string()),
        pa.field("seen", pa.string()),
    ]
)
#: Columns that tables of the first schema version lack: all of their rows are of event clips or of pictures, each an
#: item of its own with one label at most.
LATER_COLUMNS = ("labels", "modality", "item", "seen")

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


def as_before(rows: pa.Table) -> pa.Table:
    """Rows of `CODE_ROWS` for a table without `LATER_COLUMNS`; `BadStore` where those say more than the others."""
    several = pc.any(pc.greater(pc.list_value_length(rows.column("labels")), 1)).as_py()
    if several or not rows.column("item").equals(rows.column("clip_id")):
        raise BadStore(
            "this database was made before codes had modalities and several labels; encode into a new database"
        )
    return rows.drop_columns(list(LATER_COLUMNS))


def code_width(rows: pa.Table) -> int:
    """Bytes of the codes in `rows`, 0 for no rows; `BadStore` if they differ or are empty."""
    if rows.num_rows == 0:
        return 0
    span = pc.min_max(pc.binary_length(rows.column("code"))).as_py()
    if span["min"] != span["max"] or not span["min"]:
        raise BadStore(f"codes of one model have different widths: {span['min']} to {span['max']} bytes")
    return int(span["min"])
