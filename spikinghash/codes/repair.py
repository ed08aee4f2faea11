"""A damaged database back to a consistent state: what cannot be trusted is dropped and told, no row is invented.

Rows of files whose contents verify are kept or taken up again; the next `encode` hashes what was dropped.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from spikinghash.codes.check_files import FileCheck, check_files, unlisted_files
from spikinghash.codes.check_rows import RowFaults, check_rows
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.mend_log import mend_log, named_files
from spikinghash.codes.open_table import TABLES, create_table, lying_files, open_table, something_there
from spikinghash.codes.refusals import absolute
from spikinghash.codes.rewrite import rewrite
from spikinghash.codes.store_errors import store_errors
from spikinghash.codes.table_files import files_of, inside
from spikinghash.errors import BadStore
from spikinghash.schema import TRANSIENT_REASONS

#: Log entries told one by one.
_TOLD = 10


@dataclass
class Repaired:
    """What a repair did.

    `log` tells what was wrong with the logs. `files` are the data files dropped with their rows as committed and why;
    `rows` counts the rows of those files, as far as known, and the single rows dropped beside them, `duplicates` the
    rows that said the same as another, `adopted` the rows found again in files that no log entry named. `recordings`
    are those of dropped rows that could be read: the next `encode` hashes them again.
    """

    log: list[str] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    rows: int = 0
    duplicates: int = 0
    adopted: int = 0
    recordings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything had to be done."""
        return bool(self.log or self.files or self.rows or self.duplicates or self.adopted)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"changed": self.changed}


def repair(database: CodeDatabase) -> Repaired:
    """Mend the logs, drop files and rows that cannot be right, take up what the log lost; one commit for each table.

    Nothing may write meanwhile. `BadStore` where there is no database, or one of another schema version; `Temporary`
    where someone wrote all the same.
    """
    repaired = Repaired()
    _refuse_nothing(database)
    for name in TABLES:
        with store_errors(f"{database.uri}/{name}", writing=True):
            repaired.log += _mend(database, name)
            table = open_table(database.uri, name, database.storage_options)
            _repair_table(table, name, repaired)
    repaired.recordings = sorted(set(repaired.recordings))
    return repaired


def _refuse_nothing(database: CodeDatabase) -> None:
    if not any(something_there(f"{database.uri}/{name}", database.storage_options) for name in TABLES):
        raise BadStore(f"{database.shown}: no code database here; nothing to repair")


def _mend(database: CodeDatabase, name: str) -> list[str]:
    if not something_there(f"{database.uri}/{name}", database.storage_options):
        create_table(database.uri, name, database.storage_options)
        return [f"{name}: the whole table was gone"]
    mended = mend_log(database.uri, name, database.storage_options)
    told = [f"{name}: entry {version} {what}" for version, what in list(mended.items())[:_TOLD]]
    return told + ([f"{name}: {len(mended) - _TOLD} more entries"] if len(mended) > _TOLD else [])


def _repair_table(table: DeltaTable, name: str, repaired: Repaired) -> None:
    schema = TABLES[name]
    checks = list(check_files(table, schema))
    lost = [check for check in checks if check.rows is None]
    good = [check for check in checks if check.rows is not None]
    found = _found_again(table, schema)
    tables = [check.rows for check in good + found if check.rows is not None]
    judge = _good_codes if name == "codes" else _good_refusals
    keep = judge(tables, len(good), repaired)
    removed, rows, models = [check.file for check in lost], [], []
    for number, (check, mask) in enumerate(zip(good + found, keep, strict=True)):
        assert check.rows is not None
        kept = check.rows.filter(mask)
        if number < len(good) and kept.num_rows == check.rows.num_rows:
            continue
        rows.append(kept)
        # a file found again is named as removed, for its rows are written anew: no later repair finds it once more
        removed.append(check.file)
        repaired.adopted += kept.num_rows if number >= len(good) else 0
        models += check.rows.column("model").to_pylist()
    for check in lost:
        told = {"table": name, "path": check.file.path, "rows": check.file.rows, "problem": check.problem}
        repaired.files.append(told)
        repaired.rows += check.file.rows or 0
        models += [value for value in check.file.partition.values() if value is not None]
    if removed or any(part.num_rows for part in rows):
        rewrite(table, removed, rows, models)


def _found_again(table: DeltaTable, schema: pa.Schema) -> list[FileCheck]:
    """Files that verify but are named by no entry of a log that had to be mended."""
    store = files_of(table)
    mended, logged = named_files(store)
    if not mended:
        return []
    named = {inside(path, table.table_uri) for path in logged}
    paths = [path for path in lying_files(store) if path not in named]
    return unlisted_files(store, paths, table.metadata().partition_columns, schema)


def _good_codes(tables: list[pa.Table], listed: int, repaired: Repaired) -> list[pa.Array]:
    """bool for every row of every table: may it stay. A recording stays with all its clips, or with none.

    What is dropped of the first `listed` tables is told; the others were no part of the table.
    """
    faults: RowFaults = check_rows(tables)
    keep = []
    for number, table in enumerate(tables):
        mask = []
        columns = [table.column(c).to_pylist() for c in ("recording_sha256", "model", "recording")]
        for row, (sha256, model, recording) in enumerate(zip(*columns, strict=True)):
            doubtful = (sha256, model) in faults.doubtful
            again = (number, row) in faults.again
            mask.append(not doubtful and not again)
            repaired.rows += doubtful and number < listed
            repaired.duplicates += again and not doubtful and number < listed
            if doubtful:
                repaired.recordings.append(recording)
        keep.append(pa.array(mask, pa.bool_()))
    return keep


def _good_refusals(tables: list[pa.Table], listed: int, repaired: Repaired) -> list[pa.Array]:
    """As `_good_codes`: one row for a recording and model, but every try of one that is tried again."""
    seen: set[tuple[Any, ...]] = set()
    keep = []
    for number, table in enumerate(tables):
        mask = []
        for row in table.select(["sha256", "path", "model", "reason", "seen_at"]).to_pylist():
            who = (row["sha256"], absolute(row["path"]), row["model"])
            key = (*who, row["seen_at"]) if row["reason"] in TRANSIENT_REASONS else who
            mask.append(key not in seen)
            repaired.duplicates += key in seen and number < listed
            seen.add(key)
        keep.append(pa.array(mask, pa.bool_()))
    return keep
