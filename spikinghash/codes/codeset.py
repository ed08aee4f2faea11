"""The codes of one model, read from one version of the database into memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spikinghash.codes.packing import code_bytes
from spikinghash.codes.schema import code_width
from spikinghash.errors import BadStore, ConfigError


@dataclass(frozen=True)
class CodeSet:
    """N clips ordered by clip id, so that nothing computed from them depends on the order of files.

    `labels`, `splits` and `archives` hold None where a clip has none; times are int64 microseconds; `recording_keys`
    are uint64, the first 8 bytes of the recordings' SHA-256; `label_sets` are tuples of all labels, None where none has
    several; `modalities`, `items` and `seen` are as in `codes/schema.py`, None for codes from elsewhere; `version` is
    the version of the database table that was read and `files` the data files that hold exactly these clips, none where
    they hold others too.
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
    archives: NDArray[np.object_] | None = None
    label_sets: NDArray[np.object_] | None = None
    modalities: NDArray[np.object_] | None = None
    items: NDArray[np.object_] | None = None
    seen: NDArray[np.object_] | None = None
    recording_keys: NDArray[np.uint64] | None = None
    files: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.clip_ids)

    @property
    def item_ids(self) -> NDArray[np.object_]:
        """`items`, or clips as items of their own."""
        return self.clip_ids if self.items is None else self.items

    def all_labels(self) -> list[tuple[str, ...]]:
        """The labels of each clip, none, one or several."""
        if self.label_sets is not None:
            return list(self.label_sets)
        return [() if label is None else (label,) for label in self.labels]

    def in_splits(self, splits: Collection[str]) -> CodeSet:
        """The clips of the named splits; `ConfigError` if there are none."""
        chosen = np.isin(self.splits.astype(str), sorted(splits))
        if not chosen.any():
            there = ", ".join(sorted({str(s) for s in self.splits}))
            raise ConfigError(f"no clip in the splits {', '.join(sorted(splits))}; there are: {there}")
        return self._part(chosen)

    def where(self, modality: str, seen: str) -> CodeSet:
        """The codes of one modality that were made of the modalities `seen`; `ConfigError` if there are none."""
        if self.modalities is None or self.seen is None:
            raise ConfigError("these codes do not say of which modality they are")
        chosen = (self.modalities == modality) & (self.seen == seen)
        if not chosen.any():
            there = ", ".join(sorted({f"{m} from {s}" for m, s in zip(self.modalities, self.seen, strict=True)}))
            raise ConfigError(f"no codes of {modality} from {seen}; there are: {there}")
        return self._part(chosen)

    def at(self, rows: NDArray[np.int64]) -> CodeSet:
        """The clips at ascending `rows` [M], at least one."""
        return self._part(rows)

    def _part(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> CodeSet:
        columns: dict[str, Any] = {k: v[chosen] for k, v in vars(self).items() if isinstance(v, np.ndarray)}
        return replace(self, files=(), **columns)


def recording_key(sha256: str) -> int:
    """The first 8 bytes of a SHA-256 in hex as a number: enough to tell the recordings of an archive apart."""
    return int(sha256[:16], 16)


def codeset_from_rows(rows: pa.Table, model: str, version: int, files: tuple[str, ...] = ()) -> CodeSet:
    """Rows of one model (columns of `CODE_ROWS`, at least one row) as a `CodeSet`; `files` hold them and no others.

    Raises `BadStore` if the widths of the codes differ or a clip is there twice.
    """
    # Arrow sorts strings by their UTF-8 bytes, which is the order of code points: the same on every machine
    rows = rows.sort_by("clip_id").combine_chunks()
    clip_ids = _objects(rows, "clip_id")
    twice = np.flatnonzero(clip_ids[1:] == clip_ids[:-1])
    if len(twice):
        raise BadStore(
            f"clip {clip_ids[twice[0]]} is in the database more than once for model {model}; "
            "run `spikinghash fsck --repair`"
        )
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
        archives=_objects(rows, "archive"),
        label_sets=_label_sets(rows),
        modalities=_objects(rows, "modality", "events"),
        items=clip_ids if _each_its_own(rows) else _objects(rows, "item"),
        seen=_objects(rows, "seen", "events"),
        recording_keys=_keys(rows.column("recording_sha256")),
        files=files,
    )


def _keys(sha256: pa.ChunkedArray) -> NDArray[np.uint64]:
    """`recording_key` of every row, 0 for what is no SHA-256."""
    known = pc.match_substring_regex(sha256, "^[0-9a-f]{16}")
    text = pc.if_else(known, pc.utf8_slice_codeunits(sha256, 0, 16), "0" * 16)
    return np.frombuffer(bytes.fromhex("".join(text.to_pylist())), ">u8").astype(np.uint64)


def _each_its_own(rows: pa.Table) -> bool:
    """Whether every clip is an item of its own, as in tables that do not know of items."""
    return rows.column("item").null_count == len(rows) or rows.column("item").equals(rows.column("clip_id"))


def _label_sets(rows: pa.Table) -> NDArray[np.object_] | None:
    most = pc.max(pc.list_value_length(rows.column("labels"))).as_py()
    if most is None or most < 2:
        return None
    out = np.empty(len(rows), object)
    out[:] = [tuple(labels or ()) for labels in rows.column("labels").to_pylist()]
    return out


def _objects(rows: pa.Table, column: str, instead: str | None = None) -> NDArray[np.object_]:
    """Values of a column, `instead` for those of tables that lack it."""
    found = rows.column(column) if instead is None else pc.fill_null(rows.column(column), instead)
    if instead is not None and len(same := pc.unique(found)) == 1:
        return np.full(len(found), same[0].as_py(), dtype=object)
    return np.array(found.to_pylist(), dtype=object)
