"""The codes of one model, read from one version of the database into memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spikinghash.codes.packing import code_bytes
from spikinghash.codes.rows import code_width
from spikinghash.errors import BadStore, ConfigError


@dataclass(frozen=True)
class CodeSet:
    """N clips ordered by clip id, so that nothing computed from them depends on the order of files.

    `labels` and `splits` hold None where a clip has none; times are int64 microseconds; `version` is the
    version of the database table that was read.
    """

    clip_ids: NDArray[np.object_]
    codes: NDArray[np.uint8]
    labels: NDArray[np.object_]
    recordings: NDArray[np.object_]
    splits: NDArray[np.object_]
    start_us: NDArray[np.int64]
    end_us: NDArray[np.int64]
    model: str
    bits: int
    version: int

    def __len__(self) -> int:
        return len(self.clip_ids)

    def in_splits(self, splits: Collection[str]) -> CodeSet:
        """The clips of the named splits; `ConfigError` if there are none."""
        chosen = np.isin(self.splits.astype(str), sorted(splits))
        if not chosen.any():
            there = ", ".join(sorted({str(s) for s in self.splits}))
            raise ConfigError(f"no clip in the splits {', '.join(sorted(splits))}; there are: {there}")
        columns = ("clip_ids", "codes", "labels", "recordings", "splits", "start_us", "end_us")
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})


def codeset_from_rows(rows: pa.Table, model: str, version: int) -> CodeSet:
    """Rows of one model (columns of `CODE_ROWS`, at least one row) as a `CodeSet`.

    Raises `BadStore` if the widths of the codes differ or a clip is there twice.
    """
    # Arrow sorts strings by their UTF-8 bytes, which is the order of code points: the same on every machine
    rows = rows.sort_by("clip_id").combine_chunks()
    clip_ids = _objects(rows, "clip_id")
    twice = np.flatnonzero(clip_ids[1:] == clip_ids[:-1])
    if len(twice):
        raise BadStore(f"clip {clip_ids[twice[0]]} is in the database more than once for model {model}; run fsck")
    width = code_width(rows)
    code_bytes(width * 8)
    codes = np.frombuffer(b"".join(rows.column("code").to_pylist()), dtype=np.uint8).reshape(-1, width)
    return CodeSet(
        clip_ids=clip_ids,
        codes=codes,
        labels=_objects(rows, "label"),
        recordings=_objects(rows, "recording"),
        splits=_objects(rows, "split"),
        start_us=rows.column("start_us").to_numpy(),
        end_us=rows.column("end_us").to_numpy(),
        model=model,
        bits=width * 8,
        version=version,
    )


def _objects(rows: pa.Table, column: str) -> NDArray[np.object_]:
    return np.array(rows.column(column).to_pylist(), dtype=object)
