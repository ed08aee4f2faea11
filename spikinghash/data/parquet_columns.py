"""The Parquet columns of a sample store, and the way between them and rows.

Inputs are C-ordered little-endian bytes of one length, null where a row lacks the modality; event clips have their
account beside them, in the column `<modality>_account`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import ROW_COLUMNS, FieldSpec, SampleSpec, extra_columns
from spikinghash.frames.account import EventAccount

META_KEY = b"spikinghash.samples"
#: Columns whose values repeat, and those whose smallest and largest value help a query.
DICTIONARY_COLUMNS = ["split"]
STATISTICS_COLUMNS = ["sample_id", "group", "split", "origin"]
_TEXT, _NUMBER = pa.string(), pa.int64()
_ACCOUNT = pa.struct(
    [
        pa.field("start_us", _NUMBER, nullable=False),
        pa.field("end_us", _NUMBER, nullable=False),
        pa.field("events_in", _NUMBER, nullable=False),
        pa.field("events_framed", _NUMBER, nullable=False),
        pa.field("dropped", pa.map_(_TEXT, _NUMBER), nullable=False),
    ]
)


def store_schema(spec: SampleSpec) -> pa.Schema:
    """Schema of `samples.parquet`."""
    types = dict.fromkeys(ROW_COLUMNS, _TEXT) | {"labels": pa.list_(pa.field("element", _TEXT, nullable=False))}
    fields = [pa.field(name, kind, nullable=False) for name, kind in types.items()]
    for name, one in spec.fields.items():
        if one.kind == "events":
            fields.append(pa.field(_account(name), _ACCOUNT))
        fields.append(pa.field(name, pa.binary(one.sample_bytes)))
    return pa.schema(fields, metadata={META_KEY: spec.to_json().encode()})


def row_columns(spec: SampleSpec) -> list[str]:
    """Names of all columns but the inputs."""
    return [name for name in store_schema(spec).names if name not in spec.fields]


def to_table(rows: Sequence[SampleRow], values: Sequence[Mapping[str, NDArray[Any]]], spec: SampleSpec) -> pa.Table:
    """Rows and their inputs as one Arrow table."""
    columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in ROW_COLUMNS}
    for name, one in spec.fields.items():
        if one.kind == "events":
            columns[_account(name)] = [_account_cell(row.accounts.get(name)) for row in rows]
        columns[name] = [_cell(some.get(name), one) for some in values]
    return pa.table(columns, schema=store_schema(spec))


def to_rows(table: pa.Table, spec: SampleSpec) -> list[SampleRow]:
    """Rows of a table, whatever inputs it has."""
    clips = {_account(name): name for name, one in spec.fields.items() if one.kind == "events"}
    return [
        SampleRow(
            **({name: record[name] for name in ROW_COLUMNS} | {"labels": tuple(record["labels"])}),
            accounts={name: _to_account(record[column]) for column, name in clips.items() if record[column]},
        )
        for record in table.select(row_columns(spec)).to_pylist()
    ]


def to_values(column: pa.ChunkedArray, one: FieldSpec) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values [N, ...] of a column, as a new writable array with zeros where there are none, and which there are [N]."""
    present: NDArray[np.bool_] = column.is_valid().to_numpy()
    values = np.concatenate([np.empty((0, *one.shape), one.dtype), *_views(column.chunks, one)])
    values = values.astype(one.dtype, copy=False)
    values[~present] = 0
    return values, present


def _views(chunks: Iterable[pa.FixedSizeBinaryArray], one: FieldSpec) -> list[NDArray[Any]]:
    found = []
    for chunk in chunks:
        start, data = chunk.offset * one.sample_bytes, chunk.buffers()[1]
        if data is None:
            found.append(np.zeros((len(chunk), *one.shape), one.dtype))
            continue
        flat = np.frombuffer(data, dtype=np.uint8)[start : start + len(chunk) * one.sample_bytes]
        found.append(flat.view(_little_endian(one)).reshape(len(chunk), *one.shape))
    return found


def _cell(values: NDArray[Any] | None, one: FieldSpec) -> bytes | None:
    return None if values is None else values.astype(_little_endian(one), copy=False).tobytes()


def _account_cell(account: EventAccount | None) -> dict[str, Any] | None:
    return None if account is None else vars(account) | {"dropped": sorted(account.dropped.items())}


def _to_account(cell: dict[str, Any]) -> EventAccount:
    return EventAccount(**(cell | {"dropped": dict(cell["dropped"])}))


def _account(name: str) -> str:
    return extra_columns(name)[0]


def _little_endian(one: FieldSpec) -> np.dtype[Any]:
    return np.dtype(one.dtype).newbyteorder("<")
