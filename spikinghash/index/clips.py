"""The clips of an index in row order: what row number n of a search result stands for."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import BadStore

CLIP_ROWS = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("recording", pa.string(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("start_us", pa.int64(), nullable=False),
        pa.field("end_us", pa.int64(), nullable=False),
    ]
)


def clips_of(codes: CodeSet) -> pa.Table:
    """The clips of `codes` in row order, columns of `CLIP_ROWS`."""
    return pa.table(
        {
            "clip_id": codes.clip_ids.tolist(),
            "recording": codes.recordings.tolist(),
            "label": codes.labels.tolist(),
            "start_us": codes.start_us,
            "end_us": codes.end_us,
        },
        schema=CLIP_ROWS,
    )


def clips_to_bytes(codes: CodeSet) -> bytes:
    """`clips.parquet` of an index over `codes`; the same codes give the same bytes."""
    sink = io.BytesIO()
    pq.write_table(clips_of(codes), sink, compression="zstd")
    return sink.getvalue()


def clips_from_bytes(content: bytes) -> pa.Table:
    """The clips [N] in row order, columns of `CLIP_ROWS`; `BadStore` if the content is not such a table."""
    try:
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise BadStore(f"clips.parquet is not readable: {' '.join(str(error).split())}") from error
    if not table.schema.equals(CLIP_ROWS):
        raise BadStore("clips.parquet has other columns than an index needs; build the index again")
    return table
