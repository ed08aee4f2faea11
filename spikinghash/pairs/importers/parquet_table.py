"""The importer `parquet`: a Parquet table of pairs, with its columns named by options; features may lie beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spikinghash.errors import ConfigError
from spikinghash.pairs.pair import Candidate
from spikinghash.pairs.pair_columns import feature_rows

_AT_ONCE = 256
_DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError)


def parquet_pairs(
    path: Path,
    *,
    id: str | None = None,
    image: str | None = None,
    text: Sequence[str] = (),
    labels: Sequence[str] = (),
    label_names: str | Sequence[str] | None = None,
    split: str | None = None,
    group: str | None = None,
    image_feature: str | None = None,
    image_feature_file: str | None = None,
    text_feature: str | None = None,
    text_feature_file: str | None = None,
) -> Iterator[Candidate]:
    """A pair a row of the file `path`. Every option but the last of these names a column, or several:

    `id` (by default the row's number), `image` (bytes, or `{bytes, path}`), `text` (strings or lists of strings, in
    this order), `labels` (strings, numbers, or lists of them), `split`, `group`, and two of features (fixed-size
    lists). With a `..._feature_file`, a path beside `path`, the feature is a column of that table, which has as many
    rows in the same order, and the same ids where it has the column `id`. `label_names` are the names of numbers: a
    list, or a JSON file beside `path` with one, perhaps under `labels`.
    Raises `ConfigError` for a missing file or column, one of a wrong type, tables that do not go together.
    """
    names = _names(path, label_names)
    own = {"image_feature": image_feature, "text_feature": text_feature}
    files = {"image_feature": image_feature_file, "text_feature": text_feature_file}
    beside = {role: path.parent / file for role, file in files.items() if file is not None}
    plain = [one for one in (id, image, *text, *labels, split, group) if one is not None]
    columns = list(dict.fromkeys([*plain, *(name for role, name in own.items() if name and role not in beside)]))
    with ExitStack() as stack:
        tables = [_rows(path, columns, stack)]
        for role, place in beside.items():
            if own[role] is None:
                raise ConfigError(f"{role}_file is {place.name}: say by {role} which of its columns holds the feature")
            tables.append(_beside(place, str(own[role]), role, id, stack))
        for row, parts in enumerate(_together(path, tables)):
            cells: dict[str, Any] = parts[0] | {role: part[role] for role, part in zip(beside, parts[1:], strict=True)}
            name = str(row) if id is None else str(cells[id])
            _same_ids(path, row, id, parts)
            yield Candidate(
                name,
                f"{path.name}#{row}",
                labels=tuple(_label(path, names, one) for column in labels for one in _several(cells[column])),
                text=tuple(str(one) for column in text for one in _several(cells[column])),
                picture=_bytes(cells[image]) if image else None,
                image_feature=_feature(cells, "image_feature", own, beside),
                text_feature=_feature(cells, "text_feature", own, beside),
                split=None if split is None or cells[split] is None else str(cells[split]),
                group=None if group is None or cells[group] is None else str(cells[group]),
            )


def _feature(cells: Mapping[str, Any], role: str, own: Mapping[str, str | None], beside: Mapping[str, Path]) -> Any:
    if role in beside:
        return cells[role]
    column = own[role]
    return None if column is None else cells[column]


def _rows(path: Path, columns: Sequence[str], stack: ExitStack) -> Iterator[dict[str, Any]]:
    """The cells of every row by column; features as arrays [D]."""
    try:
        file = stack.enter_context(pq.ParquetFile(path))
    except _DAMAGE as error:
        raise ConfigError(f"cannot read {path}: {_first_line(error)}") from None
    missing = [name for name in columns if name not in file.schema_arrow.names]
    if missing:
        raise ConfigError(f"{path}: no column {missing[0]!r}; it has {', '.join(file.schema_arrow.names)}")
    return _cells(path, file, columns)


def _cells(path: Path, file: pq.ParquetFile, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    batches = file.iter_batches(_AT_ONCE, columns=list(columns))
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            found = {name: _column(batch[name]) for name in columns}
        except _DAMAGE as error:
            raise ConfigError(f"cannot read {path}: {_first_line(error)}") from None
        yield from ({name: cells[row] for name, cells in found.items()} for row in range(batch.num_rows))


def _column(column: pa.Array) -> Sequence[Any]:
    return feature_rows(column) if pa.types.is_fixed_size_list(column.type) else column.to_pylist()


def _beside(place: Path, column: str, role: str, id: str | None, stack: ExitStack) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(place) if place.is_file() else _no_table(place) as file:
        names = file.schema_arrow.names
        if column in names and not pa.types.is_fixed_size_list(file.schema_arrow.field(column).type):
            raise ConfigError(f"{place}: {column} is {file.schema_arrow.field(column).type}, not fixed-size lists")
    rows = _rows(place, [column, *([id] if id in names and id is not None else [])], stack)
    return ({role: row.pop(column), **row} for row in rows)


def _no_table(place: Path) -> Any:
    raise ConfigError(f"there is no table {place}; name one that lies beside the pairs")


def _together(path: Path, tables: Sequence[Iterator[dict[str, Any]]]) -> Iterator[tuple[dict[str, Any], ...]]:
    try:
        yield from zip(*tables, strict=True)
    except ValueError:
        raise ConfigError(f"{path}: the tables of features have another number of rows than the pairs") from None


def _same_ids(path: Path, row: int, id: str | None, parts: Sequence[Mapping[str, Any]]) -> None:
    if id is not None and len({str(part[id]) for part in parts if id in part}) > 1:
        raise ConfigError(f"{path}: row {row}: the tables of features are in another order; sort them by {id}")


def _names(path: Path, given: str | Sequence[str] | None) -> Sequence[str] | None:
    if not isinstance(given, str):
        return given
    place = path.parent / given
    try:
        content = json.loads(place.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the names of labels {place}: {_first_line(error)}") from None
    content = content.get("labels") if isinstance(content, dict) else content
    if not isinstance(content, list) or not all(isinstance(name, str) for name in content):
        raise ConfigError(f"{place}: no list of names, nor one under `labels`")
    return content


def _label(path: Path, names: Sequence[str] | None, value: Any) -> str:
    if names is None or isinstance(value, str):
        return str(value)
    if not isinstance(value, int) or not 0 <= value < len(names):
        raise ConfigError(f"{path}: the label {value!r} is no number of one of {len(names)} names")
    return names[value]


def _several(cell: Any) -> Sequence[Any]:
    if cell is None:
        return ()
    return [one for one in cell if one is not None] if isinstance(cell, list) else (cell,)


def _bytes(cell: Any) -> bytes | None:
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    return data if isinstance(data, bytes) else None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
