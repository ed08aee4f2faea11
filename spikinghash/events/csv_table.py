"""CSV: a header line that names t, x, y, p in any order, then one event a line; comma, semicolon, tab or blank.

Times are integers in microseconds unless `ReadOptions.time_unit` says otherwise. Further columns are ignored.
"""

from __future__ import annotations

import re
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
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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
    roles, names, delimiter, start = header
    if not data[start:].strip():
        raise BadRecording("no-events", "no line follows the header")
    table = _parse(data, names, delimiter, start)
    columns = {}
    for role, name in roles.items():
        column = table.column(name)
        if not (types.is_integer(column.type) or types.is_floating(column.type)):
            raise BadRecording("dtype", f"column {name} holds {column.type}, not numbers in every line")
        columns[role] = column.to_numpy()
    return events_from(columns, options, format=NAME)


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


def _header(head: bytes) -> tuple[dict[str, str], list[str], str, int] | None:
    """Column of each role, all columns, what separates them, first byte of the events; None if this is no header."""
    first = head[:MAX_HEADER_BYTES].partition(b"\n")[0]
    line = first.decode("utf-8-sig", "replace").strip().removeprefix("#").strip()
    delimiter = next((mark for mark in ",;\t" if mark in line), " ")
    names = [name.strip() for name in line.split(delimiter)]
    if len(set(names)) != len(names) or not all(_NAME.fullmatch(name) for name in names):
        return None
    roles = pick_columns({name: name for name in names})
    return None if roles is None else (roles, names, delimiter, len(first) + 1)
