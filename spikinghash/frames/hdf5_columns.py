"""The data sets of an HDF5 frame store, and the way between them and rows.

One value per clip in each of `COLUMNS`: numbers as int64, text as UTF-8 of one fixed length padded with zeros, so that
checksums cover it. `has_label` is 0 where a clip has no label; `dropped` is JSON. Frames are `counts` [N, T, 2, H, W],
one chunk a clip, compressed with gzip.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikinghash.frames.schema import ClipRow, FrameMeta

META_ATTRIBUTE = "spikinghash.frames"
COUNTS = "counts"
NUMBERS = ("start_us", "end_us", "events_in", "events_framed", "has_label")
TEXTS = ("clip_id", "recording_id", "label", "split", "dropped", "sha256")
COLUMNS = TEXTS + NUMBERS


def create_counts(file: h5py.File, meta: FrameMeta) -> h5py.Dataset:
    """The empty data set of frames, to be resized as clips come."""
    return file.create_dataset(
        COUNTS,
        shape=(0, *meta.shape),
        maxshape=(None, *meta.shape),
        dtype=np.dtype(meta.dtype).newbyteorder("<"),
        chunks=(1, *meta.shape),
        compression="gzip",
        compression_opts=4,
        shuffle=True,
        fletcher32=True,
    )


def write_rows(file: h5py.File, rows: Sequence[ClipRow]) -> None:
    """All columns but the frames."""
    records = [
        asdict(row)
        | {
            "label": row.label or "",
            "has_label": int(row.label is not None),
            "dropped": json.dumps(dict(row.dropped), sort_keys=True),
        }
        for row in rows
    ]
    for name in COLUMNS:
        values = [record[name] for record in records]
        column = np.array(values, dtype="<i8") if name in NUMBERS else _text(values)
        file.create_dataset(
            name, data=column, maxshape=(None,), chunks=(max(len(rows), 1),), compression="gzip", fletcher32=True
        )


def read_rows(file: h5py.File) -> list[ClipRow]:
    """Rows in stored order; raises `ValueError` for columns that are not those of `write_rows`."""
    columns = {name: plain(file, name)[()].tolist() for name in COLUMNS}
    if len({len(column) for column in columns.values()} | {len(plain(file, COUNTS))}) != 1:
        raise ValueError("its columns differ in length")
    for name in TEXTS:
        columns[name] = [value.decode() for value in columns[name]]
    rows = []
    for values in zip(*columns.values(), strict=True):
        record: dict[str, Any] = dict(zip(columns, values, strict=True))
        record["label"] = record["label"] if record.pop("has_label") else None
        record["dropped"] = json.loads(record["dropped"])
        rows.append(ClipRow(**record))
    return rows


def plain(file: h5py.File, name: str) -> h5py.Dataset:
    """A data set of this very file; raises `ValueError` for a link, for data kept elsewhere, and for another type."""
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"{name!r} is missing or a link; frame stores have none")
    data = file[name]
    if not isinstance(data, h5py.Dataset) or data.external or data.is_virtual:
        raise ValueError(f"{name!r} is no data set of this file")
    kind = {True: "S", False: "i"}[name in TEXTS]
    if name in COLUMNS and (data.ndim != 1 or data.dtype.kind != kind):
        raise ValueError(f"{name!r} is no column of a frame store")
    return data


def _text(values: list[str]) -> NDArray[Any]:
    encoded = [value.encode() for value in values]
    length = max([1, *(len(value) for value in encoded)])
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", length))
