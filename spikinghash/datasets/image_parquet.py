"""The `image_parquet` layout: Parquet files with a column of encoded pictures and one of labels, as hubs share them.

Pictures are bytes, or `{bytes, path}`. Labels are text or numbers; the names of numbers are those that the file itself
states for Hugging Face, or of its column `class_name`. The split stands in a column `split`, else in the file's name
(`train-00000-of-00001.parquet`) or that of its folder; else it is drawn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spikinghash.datasets.isolated_picture import decode_isolated
from spikinghash.datasets.picture_file import Content, PictureFile
from spikinghash.datasets.recording import Recording
from spikinghash.datasets.split_names import NO_SPLIT, SPLIT_NAMES
from spikinghash.datasets.walk import files_below, need, printable
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.machine_memory import reading_bytes
from spikinghash.events.source import Source

IMAGES = ("image", "img")
LABELS = ("label", "fine_label", "class_name", "labels")
NAMES = "class_name"
SPLIT = "split"
EXPECTED = f"put Parquet files there with a column {' or '.join(IMAGES)} and a column label"
#: A value that a file holds once may stand in every row, and is there as often as rows are read at once.
_AT_ONCE = 4
#: A row group may unpack to so many times the file, or to this much.
_MAX_RATIO, _FREE_BYTES = 200, 64 << 20
#: What pyarrow raises on damage.
_DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError)


def find(root: Path) -> list[Recording]:
    """A recording `<file>#NNNNNNNN` for every row; a null, or a label of -1, is no label. A file that cannot be read is
    listed as one recording, to be refused when it is read.

    Raises `ConfigError` for no files, missing columns, labels that are neither text nor whole numbers, unknown splits.
    """
    found = []
    for parts in sorted(files_below(root, (".parquet",))):
        path, name = root.joinpath(*parts), printable("/".join(parts))
        try:
            with pq.ParquetFile(path) as file:
                schema = file.schema_arrow
                columns = [column for column in (*LABELS, SPLIT) if column in schema.names]
                table = file.read(columns)
        except _DAMAGE:
            found.append(Recording(name, path))
            continue
        _image_column(schema, path)
        labels, splits = _labels(table, schema, path), _splits(table, parts, path)
        found += [
            Recording(f"{name}#{i:08d}", path, label=label, split=split)
            for i, (label, split) in enumerate(zip(labels, splits, strict=True))
        ]
    return need(found, root, EXPECTED)


def _image_column(schema: pa.Schema, path: Path) -> str:
    name = next((name for name in IMAGES if name in schema.names), None)
    if name is None:
        raise ConfigError(f"{path}: no column of pictures; it has {', '.join(schema.names)}, needed is {IMAGES[0]}")
    kind = schema.field(name).type
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        kind = kind.field("bytes").type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        raise ConfigError(f"{path}: its column {name} is {kind}, not bytes of PNG or JPEG files")
    return name


def _labels(table: pa.Table, schema: pa.Schema, path: Path) -> list[str | None]:
    name = next((name for name in LABELS if name in schema.names), None)
    if name is None:
        raise ConfigError(f"{path}: no column of labels; it has {', '.join(schema.names)}, needed is {LABELS[0]}")
    kind, values = schema.field(name).type, table[name].to_pylist()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        return [None if value is None else printable(str(value)) for value in values]
    if not pa.types.is_integer(kind):
        raise ConfigError(f"{path}: its column {name} is {kind}; labels are text or whole numbers")
    names = _stated_names(schema, name) or _named_beside(table, values)
    return [None if value is None or value < 0 else names.get(value, str(value)) for value in values]


def _stated_names(schema: pa.Schema, column: str) -> dict[int, str]:
    """Names of the numbers in a `ClassLabel` feature of Hugging Face's description; empty where there is none."""
    try:
        said: Any = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][column]["names"]
        return {i: str(name) for i, name in enumerate(said)}
    except (KeyError, TypeError, ValueError):
        return {}


def _named_beside(table: pa.Table, numbers: list[int | None]) -> dict[int, str]:
    """Names in the column `class_name`; empty unless every number has one name of its own."""
    if NAMES not in table.column_names:
        return {}
    pairs = {(n, str(name)) for n, name in zip(numbers, table[NAMES].to_pylist(), strict=True) if n is not None}
    names = dict(pairs)
    return names if len(pairs) == len(names) == len(set(names.values())) else {}


def _splits(table: pa.Table, parts: Sequence[str], path: Path) -> list[str | None]:
    if SPLIT not in table.column_names:
        words = [re.split(r"[-._]", part)[0].lower() for part in reversed(parts)]
        return [next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), None)] * len(table)
    said = [value or "" for value in table[SPLIT].to_pylist()]
    strange = next((value for value in said if value not in SPLIT_NAMES and value not in NO_SPLIT), None)
    if strange is not None:
        raise ConfigError(f"{path}: unknown split {strange!r}; known are: {', '.join(SPLIT_NAMES)}, all")
    return [SPLIT_NAMES.get(value) for value in said]


def _contents(source: Source, recordings: Sequence[Recording]) -> Iterator[Content]:
    try:
        with pq.ParquetFile(pa.BufferReader(source.data)) as file:
            if file.metadata.num_rows != len(recordings):
                raise BadRecording("changed", "the file changed after it was listed; run again when its writer is done")
            groups = [file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups)]
            limit = min(max(_MAX_RATIO * len(source.data), _FREE_BYTES), reading_bytes() // 8)
            if max(groups, default=0) > limit:
                raise BadRecording("expansion", f"a row group unpacks to {max(groups)} bytes, the limit is {limit}")
            name = _image_column(file.schema_arrow, source.path)
            rest = iter(recordings)
            for batch in file.iter_batches(_AT_ONCE, columns=[name]):
                for scalar, recording in zip(batch.column(0), rest, strict=False):
                    value = scalar.as_py()
                    yield recording, (value.get("bytes") if isinstance(value, dict) else value) or b""
    except _DAMAGE as error:
        said = " ".join(str(error).split())
        raise BadRecording("chunk", f"not readable as Parquet: {said}") from None


#: How pictures lie in one of the files.
FILE = PictureFile(_contents, decode_isolated)
