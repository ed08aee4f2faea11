"""The importer `parquet`: a Parquet table of pairs, with its columns named by options; features may lie beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spikinghash.errors import ConfigError
from spikinghash.pairs.importers.label_rows import name_of, read_names
from spikinghash.pairs.pair import Candidate
from spikinghash.pairs.pair_columns import feature_rows

_AT_ONCE = 256
_DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError)


def parquet_pairs(
    path: Path,
    *,
    id: str | Sequence[str] = (),
    image: str | None = None,
    text: str | Sequence[str] = (),
    labels: str | Sequence[str] = (),
    label_names: str | Sequence[str] | None = None,
    split: str | None = None,
    group: str | None = None,
    image_feature: str | None = None,
    image_feature_file: str | None = None,
    text_feature: str | None = None,
    text_feature_file: str | None = None,
) -> Iterator[Candidate]:
    """A pair a row of the file `path`. Every option but the last of these names a column, or several:

    `id` (several are joined by /; by default the row's number), `image` (bytes, or `{bytes, path}`), `text` (strings or
    lists of strings, in this order), `labels` (strings, numbers, or lists of them), `split`, `group`, and two of
    features (lists). With a `..._feature_file`, a path beside `path`, the feature is a column of that table,
    which has as many rows in the same order, and the same ids where it has those columns. `label_names` are the names
    of numbers: a list, or a JSON file beside `path` with one. Raises `ConfigError` for a missing file or column, one of
    a wrong type, tables that do not go together.
    """
    names = read_names(path.parent, label_names)
    ids, text, labels = ([one] if isinstance(one, str) else list(one) for one in (id, text, labels))
    own = {"image_feature": image_feature, "text_feature": text_feature}
    files = {"image_feature": image_feature_file, "text_feature": text_feature_file}
    beside = {role: path.parent / file for role, file in files.items() if file is not None}
    plain = [one for one in (*ids, image, *text, *labels, split, group) if one is not None]
    columns = list(dict.fromkeys([*plain, *(name for role, name in own.items() if name and role not in beside)]))
    with ExitStack() as stack:
        tables = [_rows(path, columns, [name for name in own.values() if name], stack)]
        for role, place in beside.items():
            if own[role] is None:
                raise ConfigError(f"{role}_file is {place.name}: say by {role} which of its columns holds the feature")
            tables.append(_beside(place, str(own[role]), role, ids, stack))
        for row, parts in enumerate(_together(path, tables)):
            cells: dict[str, Any] = parts[0] | {role: part[role] for role, part in zip(beside, parts[1:], strict=True)}
            yield Candidate(
                _id(path, row, ids, parts),
                f"{path.name}#{row}",
                labels=tuple(name_of(one, names, f"{path} row {row}") for one in _several(cells, labels)),
                text=tuple(map(str, _several(cells, text))),
                picture=_bytes(cells[image]) if image else None,
                image_feature=_feature(cells, "image_feature", own, beside),
                text_feature=_feature(cells, "text_feature", own, beside),
                split=_text(cells, split),
                group=_text(cells, group),
            )


def _feature(cells: Mapping[str, Any], role: str, own: Mapping[str, str | None], beside: Mapping[str, Path]) -> Any:
    column = role if role in beside else own[role]
    row = None if column is None else cells[column]
    return row if row is None or row.dtype in ("float16", "float32") else row.astype("float32")


def _open(path: Path, stack: ExitStack) -> pq.ParquetFile:
    try:
        return stack.enter_context(pq.ParquetFile(path))
    except _DAMAGE as error:
        raise ConfigError(f"cannot read {path}: {_first_line(error)}") from None


def _rows(path: Path, columns: Sequence[str], features: Sequence[str], stack: ExitStack) -> Iterator[dict[str, Any]]:
    """The cells of every row by column; features as arrays [D]."""
    file = _open(path, stack)
    missing = [name for name in columns if name not in file.schema_arrow.names]
    if missing:
        raise ConfigError(f"{path}: no column {missing[0]!r}; it has {', '.join(file.schema_arrow.names)}")
    return _cells(path, file, columns, features)


def _cells(
    path: Path, file: pq.ParquetFile, columns: Sequence[str], features: Sequence[str]
) -> Iterator[dict[str, Any]]:
    batches = file.iter_batches(_AT_ONCE, columns=list(columns))
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            found = {
                name: feature_rows(batch[name]) if name in features else batch[name].to_pylist() for name in columns
            }
        except _DAMAGE as error:
            raise ConfigError(f"cannot read {path}: {_first_line(error)}") from None
        yield from ({name: cells[row] for name, cells in found.items()} for row in range(batch.num_rows))


def _beside(place: Path, column: str, role: str, ids: Sequence[str], stack: ExitStack) -> Iterator[dict[str, Any]]:
    """The features of another table as `role`, with their ids where it has them."""
    names = _open(place, stack).schema_arrow.names
    rows = _rows(place, [column, *(ids if set(ids) <= set(names) else ())], [column], stack)
    return ({role: row.pop(column), **row} for row in rows)


def _together(path: Path, tables: Sequence[Iterator[dict[str, Any]]]) -> Iterator[tuple[dict[str, Any], ...]]:
    try:
        yield from zip(*tables, strict=True)
    except ValueError:
        raise ConfigError(f"{path}: the tables of features have another number of rows than the pairs") from None


def _id(path: Path, row: int, ids: Sequence[str], parts: Sequence[Mapping[str, Any]]) -> str:
    if not ids:
        return str(row)
    # a row without an id is refused as such, and is no pair called None
    if any(part[name] is None for part in parts for name in ids if name in part):
        return ""
    said = ["/".join(str(part[name]) for name in ids) for part in parts if all(name in part for name in ids)]
    if len(set(said)) > 1:
        columns = " and ".join(ids)
        raise ConfigError(f"{path}: row {row}: the tables of features are in another order; sort them by {columns}")
    return said[0]


def _several(cells: Mapping[str, Any], columns: Sequence[str]) -> list[Any]:
    """Everything in these columns of a row that is not null, lists one after the other."""
    found = [cells[column] for column in columns]
    return [one for cell in found for one in (cell if isinstance(cell, list) else [cell]) if one is not None]


def _text(cells: Mapping[str, Any], column: str | None) -> str | None:
    return None if column is None or cells[column] is None else str(cells[column])


def _bytes(cell: Any) -> bytes | None:
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    return data if isinstance(data, bytes) else None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
