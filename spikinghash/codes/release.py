"""Taking recordings out of the quarantine, so that the next `encode` tries them again."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.refusals import absolute
from spikinghash.codes.rewrite import rewrite
from spikinghash.codes.schema import QUARANTINE_ROWS
from spikinghash.codes.store_errors import store_errors
from spikinghash.codes.table_files import data_files, dataset_of
from spikinghash.errors import ConfigError
from spikinghash.schema import REASONS


def release(
    database: CodeDatabase,
    reasons: Collection[str] = (),
    paths: Collection[str] = (),
    model: str | None = None,
) -> pa.Table:
    """Remove, as one commit, the refusals with one of `reasons` and of one of `paths`; the removed rows.

    An empty collection allows all; both empty is a `ConfigError`, as is an unknown reason. A path is that of a
    recording, of an archive or of a folder of them. `Temporary` where someone wrote meanwhile.
    """
    unknown = sorted(set(reasons) - REASONS)
    if unknown:
        raise ConfigError(f"no reason {unknown[0]!r}; there are: {', '.join(sorted(REASONS))}")
    if not reasons and not paths:
        raise ConfigError("say what to release: --reason REASON, --path PATH, or both")
    table = database.snapshot("quarantine")
    changed, kept, released = [], [], [QUARANTINE_ROWS.empty_table()]
    for file in data_files(table):
        with store_errors(table.table_uri):
            rows = dataset_of(table, [file]).to_table(QUARANTINE_ROWS.names)
        chosen = _chosen(rows, reasons, paths, model)
        if pc.any(chosen).as_py():
            changed.append(file)
            kept.append(rows.filter(pc.invert(chosen)))
            released.append(rows.filter(chosen))
    gone = pa.concat_tables(released)
    if changed:
        rewrite(table, changed, kept, gone.column("model").to_pylist())
    return gone


def _chosen(rows: pa.Table, reasons: Collection[str], paths: Collection[str], model: str | None) -> pa.Array:
    wanted = [absolute(path) for path in paths]
    chosen = []
    for row in rows.select(["path", "reason", "model"]).to_pylist():
        there = absolute(row["path"])
        chosen.append(
            (not reasons or row["reason"] in reasons)
            and (not wanted or any(there == path or there.startswith((f"{path}/", f"{path}!")) for path in wanted))
            and (model is None or row["model"] == model)
        )
    return pa.array(chosen, pa.bool_())
