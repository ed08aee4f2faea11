"""The data sets of an HDF5 sample store, and the way between them and rows.

One value a sample in each column: text as UTF-8 of one fixed length padded with zeros, so that checksums cover it;
`labels` and `<modality>_account` are JSON, null where there is no event clip; `<modality>_present` is 1 where a sample
has the modality. The inputs lie under the names of their modalities, [N, ...], one gzipped chunk a sample.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import ROW_COLUMNS, SampleSpec, extra_columns
from spikinghash.frames.account import EventAccount

META_ATTRIBUTE = "spikinghash.samples"


def create_inputs(file: h5py.File, spec: SampleSpec) -> dict[str, h5py.Dataset]:
    """The empty data set of each modality, to be resized as samples come."""
    return {
        name: file.create_dataset(
            name,
            shape=(0, *one.shape),
            maxshape=(None, *one.shape),
            dtype=np.dtype(one.dtype).newbyteorder("<"),
            chunks=(1, *one.shape),
            compression="gzip",
            compression_opts=4,
            shuffle=True,
            fletcher32=True,
        )
        for name, one in spec.fields.items()
    }


def write_rows(
    file: h5py.File, spec: SampleSpec, rows: Sequence[SampleRow], present: Mapping[str, Sequence[int]]
) -> None:
    """All columns but the inputs."""
    columns = {name: _text([getattr(row, name) for row in rows]) for name in ROW_COLUMNS if name != "labels"}
    columns["labels"] = _text([json.dumps(row.labels) for row in rows])
    for name, one in spec.fields.items():
        account, there = extra_columns(name)
        columns[there] = np.array(present[name], dtype="<i8")
        if one.kind == "events":
            columns[account] = _text([_account_cell(row.accounts.get(name)) for row in rows])
    for name in sorted(columns):
        chunks = (max(len(rows), 1),)
        file.create_dataset(
            name, data=columns[name], maxshape=(None,), chunks=chunks, compression="gzip", fletcher32=True
        )


def read_rows(file: h5py.File, spec: SampleSpec) -> list[SampleRow]:
    """Rows in stored order; raises `ValueError` for columns that are not those of `write_rows`."""
    accounts = {name: extra_columns(name)[0] for name, one in spec.fields.items() if one.kind == "events"}
    names = [*ROW_COLUMNS, *accounts.values()]
    columns = {name: [value.decode() for value in _column(file, name, "S")[()].tolist()] for name in names}
    lengths = {len(column) for column in columns.values()} | {len(plain(file, name)) for name in spec.fields}
    if len(lengths | {len(_column(file, extra_columns(name)[1], "i")) for name in spec.fields}) != 1:
        raise ValueError("its columns differ in length")
    cells = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [
        SampleRow(
            **({name: record[name] for name in ROW_COLUMNS} | {"labels": tuple(json.loads(record["labels"]))}),
            accounts={
                name: EventAccount(**found) for name, at in accounts.items() if (found := json.loads(record[at]))
            },
        )
        for record in cells
    ]


def read_present(file: h5py.File, name: str) -> NDArray[np.bool_]:
    """Which samples have a modality, bool [N]."""
    return _column(file, extra_columns(name)[1], "i")[()].astype(bool)


def plain(file: h5py.File, name: str) -> h5py.Dataset:
    """A data set of this very file; raises `ValueError` for a link and for data kept elsewhere."""
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"{name!r} is missing or a link; sample stores have none")
    data = file[name]
    if not isinstance(data, h5py.Dataset) or data.external or data.is_virtual:
        raise ValueError(f"{name!r} is no data set of this file")
    return data


def _column(file: h5py.File, name: str, kind: str) -> h5py.Dataset:
    data = plain(file, name)
    if data.ndim != 1 or data.dtype.kind != kind:
        raise ValueError(f"{name!r} is no column of a sample store")
    return data


def _account_cell(account: EventAccount | None) -> str:
    return "null" if account is None else json.dumps(vars(account) | {"dropped": dict(account.dropped)}, sort_keys=True)


def _text(values: list[str]) -> NDArray[Any]:
    encoded = [value.encode() for value in values]
    length = max([1, *(len(value) for value in encoded)])
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", length))
