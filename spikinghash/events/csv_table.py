"""CSV: a header line that names t, x, y, p in any order, then one event a line; comma, semicolon, tab or blank.

Times are integers in microseconds unless their name has a unit (`t [ns]`) or `ReadOptions.time_unit` says otherwise.
Further columns are ignored. Comments may stand before the header, and the header may be one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spikinghash.errors import BadRecording
from spikinghash.events.columns import events_from, pick_columns
from spikinghash.events.events import Events
from spikinghash.events.options import DEFAULTS, ReadOptions

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "csv"
MAX_HEADER_BYTES = 4096
#: In pyarrow's message about a line with too few or too many values.
_COLUMNS = "Expected"
#: A name with its unit: `t [us]`, `time (s)`.
_UNITED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*[\[(]\s*(ns|us|µs|ms|s)\s*[\])]")


def looks_like(head: bytes, size: int) -> bool:
    """Whether the first line names the four columns."""
    return _header(head) is not None


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file.

    Raises `BadRecording`: unknown-format (no header), truncated or count (a line with other columns), dtype, and what
    `validate` refuses.
    """
    from pyarrow import types

    header = _header(data[:MAX_HEADER_BYTES])
    if header is None:
        raise BadRecording("unknown-format", "the first line does not name the columns t, x, y, p", 0)
    if not data[header.start :].strip():
        raise BadRecording("no-events", "no line follows the header")
    table = _parse(data, header.names, header.delimiter, header.start)
    columns = {}
    for role, name in header.roles.items():
        column = table.column(name)
        if role == "p" and types.is_boolean(column.type):
            column = column.cast("uint8")
        if not (types.is_integer(column.type) or types.is_floating(column.type)):
            raise BadRecording("dtype", f"column {name} holds {column.type}, not numbers in every line")
        columns[role] = column.to_numpy()
    return events_from(columns, options, format=NAME, time_unit=header.time_unit)


def _parse(data: bytes, names: list[str], delimiter: str, start: int) -> pa.Table:
    from pyarrow import ArrowInvalid, csv, py_buffer

    try:
        return csv.read_csv(
            py_buffer(memoryview(data)[start:]),
            read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=2**24),
            parse_options=csv.ParseOptions(delimiter=delimiter, quote_char=False),
            convert_options=csv.ConvertOptions(null_values=[], strings_can_be_null=False),
        )
    except (ArrowInvalid, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())[:150]
        reason, rule = ("count", "a line is unlike the header") if _COLUMNS in why else ("dtype", "no number")
        raise BadRecording(reason, f"{rule}: {why}") from error


@dataclass(frozen=True)
class _Header:
    """Column of each role, all columns, what separates them, first byte of the events, unit in the time's name."""

    roles: dict[str, str]
    names: list[str]
    delimiter: str
    start: int
    time_unit: str


def _header(head: bytes) -> _Header | None:
    """The first line that names the four columns; only comments (`#`) may stand before it."""
    start = 0
    for raw in head[:MAX_HEADER_BYTES].splitlines(keepends=True):
        line = raw.decode("utf-8-sig", "replace").strip()
        start += len(raw)
        found = _named(line.removeprefix("#").strip(), start)
        if found is not None or not line.startswith("#"):
            return found
    return None


def _named(line: str, start: int) -> _Header | None:
    delimiter = next((mark for mark in ",;\t" if mark in line), " ")
    plain, unit = [], "us"
    for name in line.split(delimiter):
        text = name.strip().strip("\"'").strip()
        united = _UNITED.fullmatch(text)
        if united is not None and pick_columns({united[1]: 0, "x": 0, "y": 0, "p": 0}) is not None:
            text, unit = united[1], united[2].replace("µ", "u")
        plain.append(text)
    roles = pick_columns({name: name for name in reversed(plain)})
    if roles is None or any(plain.count(name) > 1 for name in roles.values()):
        return None
    # a column that we do not read may be called anything, also nothing (the index that pandas writes)
    names = [name if name in roles.values() and plain.index(name) == i else f"#{i}" for i, name in enumerate(plain)]
    return _Header(roles, names, delimiter, start, unit)
