"""The columns of `pairs.parquet`, and the way between them and pairs.

Features are lists, all of the width that the description states, null where missing: Arrow's fixed-size lists would be
the same bytes in the file, but pyarrow 25 does not read them back where one is null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spikinghash.pairs.pair import Pair
from spikinghash.schema import PAIR_SCHEMA_VERSION

META_KEY = b"spikinghash.pairs"
FEATURES = ("image_feature", "text_feature")
_TYPES = {"float16": pa.float16(), "float32": pa.float32()}
_WORDS = pa.list_(pa.field("element", pa.string(), nullable=False))


@dataclass(frozen=True)
class PairSpec:
    """What a file of pairs holds: `features` has (width, type) of the columns of features that there are.

    `made_by` says in plain JSON values what made the file. Raises `ValueError` for anything else.
    """

    features: Mapping[str, tuple[int, str]]
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (width, dtype) in self.features.items():
            if name not in FEATURES or type(width) is not int or width < 1 or dtype not in _TYPES:
                raise ValueError(f"features {name} [{width}] of {dtype} are none of ours")
        if json.loads(json.dumps(self.made_by)) != self.made_by:
            raise ValueError("made_by holds more than plain JSON values")

    @property
    def schema(self) -> pa.Schema:
        """Schema of the file."""
        kinds = {"pair_id": pa.string(), "group": pa.string(), "split": pa.string(), "labels": _WORDS}
        fields = [pa.field(name, kind, nullable=False) for name, kind in kinds.items()]
        fields += [pa.field("image", pa.binary()), *self._feature("image_feature")]
        fields += [pa.field("text", _WORDS, nullable=False), *self._feature("text_feature")]
        fields.append(pa.field("origin", pa.string(), nullable=False))
        content = {
            "schema_version": PAIR_SCHEMA_VERSION,
            "features": {name: list(self.features[name]) for name in sorted(self.features)},
            "made_by": dict(self.made_by),
        }
        return pa.schema(fields, metadata={META_KEY: json.dumps(content, sort_keys=True).encode()})

    def _feature(self, name: str) -> list[pa.Field]:
        if name not in self.features:
            return []
        return [pa.field(name, pa.list_(pa.field("element", _TYPES[self.features[name][1]])))]

    @classmethod
    def of(cls, schema: pa.Schema) -> PairSpec:
        """Undo `schema`; raises `ValueError` for other files, damage, or another schema version."""
        described = (schema.metadata or {}).get(META_KEY)
        if described is None:
            raise ValueError("no description; it was not written by spikinghash")
        content = json.loads(described)
        version = content.get("schema_version") if isinstance(content, dict) else None
        if version != PAIR_SCHEMA_VERSION:
            raise ValueError(f"schema version {version}, this program reads {PAIR_SCHEMA_VERSION}")
        if set(content) != {"schema_version", "features", "made_by"} or not isinstance(content["features"], dict):
            raise ValueError("its description has wrong keys")
        spec = cls({name: (width, dtype) for name, (width, dtype) in content["features"].items()}, content["made_by"])
        if not schema.equals(spec.schema):
            raise ValueError("its columns are not those of a file of pairs")
        return spec


def to_table(pairs: Sequence[Pair], spec: PairSpec) -> pa.Table:
    """Pairs as one Arrow table; raises `ValueError` for a feature of another width or type."""
    schema = spec.schema
    columns = []
    for one in schema:
        cells = [getattr(pair, one.name) for pair in pairs]
        columns.append(
            _features(cells, *spec.features[one.name]) if one.name in FEATURES else pa.array(cells, one.type)
        )
    return pa.Table.from_arrays(columns, schema=schema)


def _features(cells: Sequence[Any], width: int, dtype: str) -> pa.Array:
    for cell in cells:
        if cell is not None and (cell.shape != (width,) or cell.dtype != dtype):
            raise ValueError(f"a feature is {list(cell.shape)} {cell.dtype}, those before it [{width}] {dtype}")
    there = [cell for cell in cells if cell is not None]
    ends = np.cumsum([0, *(0 if cell is None else width for cell in cells)], dtype=np.int32)
    return pa.ListArray.from_arrays(
        pa.array(ends),
        pa.array(np.concatenate([np.empty(0, dtype), *there])),
        type=pa.list_(pa.field("element", _TYPES[dtype])),
        mask=pa.array([cell is None for cell in cells], pa.bool_()),
    )


def to_pairs(batch: pa.Table, spec: PairSpec) -> list[Pair]:
    """Pairs of a table; columns that were not read stay None or empty. `ValueError` for features of another width."""
    columns: dict[str, Sequence[Any]] = {}
    for name in batch.schema.names:
        columns[name] = feature_rows(batch[name]) if name in FEATURES else batch[name].to_pylist()
        if name in FEATURES and {len(row) for row in columns[name] if row is not None} - {spec.features[name][0]}:
            raise ValueError(f"an {name} is not as wide as the description says")
    for name in ("labels", "text"):
        if name in columns:
            columns[name] = [tuple(words) for words in columns[name]]
    return [Pair(**{name: cells[row] for name, cells in columns.items()}) for row in range(batch.num_rows)]


def feature_rows(column: pa.Array | pa.ChunkedArray) -> list[NDArray[Any] | None]:
    """A column of lists of numbers, of a fixed size or not, as rows [D], None for a null; a null within a row is not a
    number. Raises `ValueError` for a column of anything else.
    """
    kind = column.type
    is_list = pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not is_list or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        raise ValueError(f"features are lists of numbers, not {kind}")
    rows: list[NDArray[Any] | None] = []
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        # a slice of the list, since a chunk may begin within its values
        values = chunk.flatten().to_numpy(zero_copy_only=False)
        lengths = np.array([0 if length is None else length for length in _lengths(chunk)], np.int64)
        ends = np.cumsum(lengths)
        there = chunk.is_valid().to_pylist()
        rows += [values[end - n : end] if ok else None for end, n, ok in zip(ends, lengths, there, strict=True)]
    return rows


def _lengths(chunk: pa.Array) -> list[int | None]:
    return pc.list_value_length(chunk).to_pylist()
