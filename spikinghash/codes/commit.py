"""Exactly-once appends to one Delta table, whoever else is writing.

Every append carries an application transaction (Delta protocol, "Transaction Identifiers"). Delta refuses a
commit when another commit with the same application id landed after the snapshot it was made from. So the rows
are filtered against a snapshot and committed on that same snapshot: either nobody else wrote and the filter
still holds, or the commit fails, and we look again.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from spikinghash.codes.append_rows import append_rows, next_mark
from spikinghash.codes.store_errors import store_errors
from spikinghash.codes.table_files import dataset_of
from spikinghash.errors import Temporary
from spikinghash.redact import redact

ATTEMPTS = 50
#: Values of the columns that make a row the same row.
Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Appended:
    """What an append did: rows written, rows that were there already, and the table version afterwards.

    `rows` are the written ones.
    """

    written: int
    skipped: int
    version: int
    rows: pa.Table = field(repr=False, compare=False)


def append_new(
    open_table: Callable[[], DeltaTable],
    rows: pa.Table,
    key: Sequence[str],
    fit: Callable[[DeltaTable], pa.Table] | None = None,
    attempts: int = ATTEMPTS,
    known: Mapping[Key, int] | None = None,
) -> Appended:
    """Append those of `rows` whose key is not in the table yet; the first of equal rows in `rows` wins.

    `known` says how many rows of a key there may be already, 0 where it says nothing: so a row that is meant to be the
    third of its key is never the fourth.

    `open_table` gives a fresh snapshot; `fit` may refuse the rows by looking at it, and gives them as it takes them.
    Only writers of the same model exclude each other. Raises `Temporary` after `attempts` lost races.
    """
    models = sorted(set(rows.column("model").to_pylist()))
    for attempt in range(attempts):
        table = open_table()
        if fit is not None:
            rows = fit(table)
        fresh = _unseen(rows, key, _keys(_alike(table, rows, key), key), known or {})
        if fresh.num_rows == 0:
            return Appended(0, rows.num_rows, table.version(), fresh)
        try:
            with store_errors(table.table_uri, writing=True):
                append_rows(table, fresh, [next_mark(table, model_app(model)) for model in models])
        except CommitFailedError:
            # spread the losers out, or the same two writers meet again and again
            time.sleep(random.uniform(0, 0.02 * min(attempt + 1, 10)))
            continue
        return Appended(fresh.num_rows, rows.num_rows - fresh.num_rows, table.version(), fresh)
    raise Temporary(
        f"{redact(table.table_uri)}: lost {attempts} races against other writers; run the same command again"
    )


def model_app(model: str) -> str:
    """Application id of everyone who adds rows of a model."""
    return f"spikinghash:{model}"


def _alike(table: DeltaTable, rows: pa.Table, key: Sequence[str]) -> pa.Table:
    """Key columns of the rows in `table` that might be one of `rows`: alike in every column of the key."""
    alike = pc.scalar(True)
    for name in key:
        alike = alike & pc.field(name).isin(pc.unique(rows.column(name)))
    with store_errors(table.table_uri):
        return dataset_of(table).to_table(list(key), filter=alike)


def _keys(rows: pa.Table, key: Sequence[str]) -> list[Key]:
    return list(zip(*(rows.column(name).to_pylist() for name in key), strict=True))


def _unseen(rows: pa.Table, key: Sequence[str], there: Sequence[Key], known: Mapping[Key, int]) -> pa.Table:
    seen = Counter(there)
    keep = []
    for row_key in _keys(rows, key):
        keep.append(seen[row_key] <= known.get(row_key, 0))
        seen[row_key] += 1
    return rows.filter(pa.array(keep, pa.bool_()))
