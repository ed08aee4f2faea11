"""The codes of one model as a file that other programs read: plain Parquet, or a FAISS index."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spikinghash.codes.codeset import codeset_from_rows
from spikinghash.codes.database import CodeDatabase
from spikinghash.errors import BadStore, ConfigError
from spikinghash.files import write_atomically
from spikinghash.index.faiss_file import flat_to_bytes

SUFFIXES = (".parquet", ".faiss")


def export(database: CodeDatabase, out: Path, model: str | None = None, version: int | None = None) -> dict[str, Any]:
    """Write the codes of `model` (None: the only one) to `out`; returns `rows`, `bits`, `path` (and `ids`).

    With `version` as they were at that version of the table.

    `.parquet`: one row a clip, columns of the database, ordered by clip id. `.faiss`: an `IndexBinaryFlat` whose vector
    n is row n of `<out>.parquet`, written beside it. `ConfigError` for another suffix, `BadStore` for no codes.
    """
    if out.suffix not in SUFFIXES:
        raise ConfigError(f"{out}: cannot tell what to write; name it {' or '.join('*' + s for s in SUFFIXES)}")
    chosen = model or _only(database)
    rows = database.rows(chosen, version)
    if rows.num_rows == 0:
        raise BadStore(f"{database.shown}: no codes of model {chosen}; run `spikinghash encode` first")
    rows = rows.take(pc.sort_indices(rows, [("clip_id", "ascending")]))
    codes = codeset_from_rows(rows, chosen, database.version() if version is None else version)
    told: dict[str, Any] = {"rows": len(codes), "bits": codes.bits, "path": str(out), "model": chosen}
    table = rows.replace_schema_metadata({"spikinghash.model": chosen, "spikinghash.bits": str(codes.bits)})
    ids = out.with_name(out.name + ".parquet")
    try:
        if out.suffix == ".parquet":
            write_atomically(out, _parquet(table))
            return told
        write_atomically(ids, _parquet(table))
        write_atomically(out, flat_to_bytes(codes.codes))
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror or error}") from error
    return told | {"ids": str(ids)}


def _only(database: CodeDatabase) -> str:
    models = database.models()
    if len(models) != 1:
        raise ConfigError(
            f"{database.shown} holds codes of {len(models)} models ({', '.join(models)}); name one: --model"
        )
    return models[0]


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
