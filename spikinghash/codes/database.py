"""The code database: Delta tables `<db>/codes` and `<db>/quarantine`, one row per clip and model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from numpy.typing import NDArray

from spikinghash.codes import maintain
from spikinghash.codes.address import database_address
from spikinghash.codes.codeset import CodeSet, codeset_from_rows
from spikinghash.codes.commit import Appended, Key, append_new
from spikinghash.codes.open_table import TABLES, create_table, open_table
from spikinghash.codes.schema import (
    CODE_KEY,
    CODE_ROWS,
    LATER_COLUMNS,
    QUARANTINE_KEY,
    QUARANTINE_ROWS,
    as_before,
    code_width,
    conform,
)
from spikinghash.codes.store_errors import ADVICE, store_errors
from spikinghash.codes.table_files import DataFile, data_files, dataset_of, files_of, read_file
from spikinghash.errors import BadStore, ConfigError, StaleModel, Temporary
from spikinghash.redact import redact


@dataclass(frozen=True)
class CodeDatabase:
    """Where a code database is. It holds no snapshot: every call reads the newest version.

    `uri` is a local folder or an object-store address, `storage_options` are Delta Lake's. Every method raises
    `BadStore` for a damaged or foreign table and `Temporary` for a full disk.
    """

    uri: str
    storage_options: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, uri: str | Path, storage_options: dict[str, str] | None = None) -> CodeDatabase:
        """An existing database; `BadStore` if there is none or its schema version is not ours."""
        database = cls(database_address(uri), dict(storage_options or {}))
        for name in TABLES:
            database.snapshot(name)
        return database

    @classmethod
    def create_or_open(cls, uri: str | Path, storage_options: dict[str, str] | None = None) -> CodeDatabase:
        """The database at `uri`, made if it is not there. Two processes may call this at once."""
        database = cls(database_address(uri), dict(storage_options or {}))
        for name in TABLES:
            create_table(database.uri, name, database.storage_options)
        return cls.open(uri, storage_options)

    def snapshot(self, name: str, version: int | None = None) -> DeltaTable:
        """The newest snapshot of the table `codes` or `quarantine`, or that of a `version`; errors of `open_table`."""
        return open_table(self.uri, name, self.storage_options, version)

    @property
    def shown(self) -> str:
        """Where the database is, without passwords."""
        return redact(self.uri)

    def append(self, rows: pa.Table) -> Appended:
        """Add rows (columns of `CODE_ROWS`), exactly once by clip id and model.

        A row that is there already stays as it is. Codes must be as wide as the model's codes already are,
        else `BadStore`. `Temporary` when other writers win every time.
        """
        rows = conform(rows, CODE_ROWS)
        if "" in _distinct(rows, "model"):
            raise BadStore("a row has an empty model digest")  # Delta reads an empty partition value back as null
        widths = {model: code_width(rows.filter(pc.field("model") == model)) for model in _distinct(rows, "model")}

        def fit(table: DeltaTable) -> pa.Table:
            for model, width in widths.items():
                with store_errors(table.table_uri):
                    one = dataset_of(table).head(1, columns=["code"], filter=pc.field("model") == model)
                there = code_width(one)
                if there and there != width:
                    raise BadStore(f"{self.shown}: model {model} has codes of {there} bytes, not {width}")
            return rows if set(LATER_COLUMNS) <= set(_columns(table)) else as_before(rows)

        return append_new(lambda: self.snapshot("codes"), rows, CODE_KEY, fit)

    def quarantine(self, rows: pa.Table, known: Mapping[Key, int] | None = None) -> Appended:
        """Add refused recordings (columns of `QUARANTINE_ROWS`), exactly once by SHA-256, path and model.

        `known` rows of a key, by (SHA-256, path, model), may be there already: those of earlier tries.
        """
        rows = conform(rows, QUARANTINE_ROWS)
        return append_new(lambda: self.snapshot("quarantine"), rows, QUARANTINE_KEY, known=known)

    def load(self, model: str | None = None, split: str | None = None, version: int | None = None) -> CodeSet:
        """The codes of one model, of one split or all, ordered by clip id; now, or as they were at a `version`.

        Without `model` the database must hold one model only. `StaleModel` names the models there are,
        `ConfigError` an unknown split or version, `BadStore` an empty database or a version that `vacuum` removed.
        """
        table = self.snapshot("codes", version)
        chosen = self._the_model(table, model)
        rows = _read_rows(table, chosen)
        files = tuple(file.path for file in _files(table, chosen))
        if split is not None:
            splits = sorted(str(name) for name in _distinct(rows, "split"))
            rows = rows.filter(pc.field("split") == split)
            if rows.num_rows == 0:
                raise ConfigError(f"{self.shown}: no clip in split {split!r}; splits: {', '.join(splits)}")
            files = ()
        return codeset_from_rows(rows, chosen, table.version(), files)

    def load_beyond(self, model: str, covered: Collection[str], rows: int, version: int) -> list[CodeSet] | None:
        """The codes of one model that are in other data files than `covered`, as one `CodeSet` or, for none, nothing.

        None if a covered file is gone, for then the files were rewritten, or if they do not hold `rows` rows: all must
        be read again. `BadStore` if `version`, in which the covered files were read, is one that the log has no more.
        """
        table = self.snapshot("codes")
        files = _files(table, self._the_model(table, model))
        old = [file for file in files if file.path in set(covered)]
        if table.version() < version and (old or self._lie(table, covered)):
            now = table.version()
            raise BadStore(
                f"{self.shown}/codes: its log went backwards: version {now}, an index knows {version}; {ADVICE}"
            )
        if len(old) < len(set(covered)) or sum(file.rows or 0 for file in old) != rows:
            return None
        new = [file for file in files if file.path not in set(covered)]
        with store_errors(table.table_uri):
            found = conform(dataset_of(table, new).to_table(_columns(table)), CODE_ROWS)
        paths = tuple(file.path for file in new)
        return [codeset_from_rows(found, model, table.version(), paths)] if found.num_rows else []

    def _lie(self, table: DeltaTable, paths: Collection[str]) -> bool:
        """Whether one of `paths` is a file in the table, listed or not: those of another database are none of ours."""
        store = files_of(table)
        with store_errors(table.table_uri):
            return any(store.get_file_info(path).is_file for path in paths)

    def committed_ids(self, model: str) -> set[str]:
        """Clip ids that `model` has hashed."""
        return set(_read(self.snapshot("codes"), ["clip_id"], model).column("clip_id").to_pylist())

    def committed_recordings(self, model: str) -> set[str]:
        """SHA-256 of the recordings that `model` has hashed; reads that column alone, for archives only grow."""
        return set(_read(self.snapshot("codes"), ["recording_sha256"], model).column("recording_sha256").to_pylist())

    def committed_since(self, model: str, since: datetime, clip_ids: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Which of `clip_ids` [N] were hashed by `model` at `since` or later, bool [N]."""
        found = _read(self.snapshot("codes"), ["clip_id", "encoded_at"], model)
        late = found.filter(pc.field("encoded_at") >= pa.scalar(since, pa.timestamp("us", "UTC")))
        new = set(late.column("clip_id").to_pylist())
        return np.array([clip_id in new for clip_id in clip_ids], dtype=np.bool_)

    def rows(self, model: str | None = None, version: int | None = None) -> pa.Table:
        """All rows of the codes table, or one model's, in no particular order; now or as they were at a `version`."""
        return _read_rows(self.snapshot("codes", version), model)

    def quarantined(self, model: str | None = None) -> pa.Table:
        """All quarantine rows, or one model's, in no particular order."""
        return _read(self.snapshot("quarantine"), QUARANTINE_ROWS.names, model)

    def data_files(self, columns: list[str]) -> Iterator[tuple[str, Callable[[], pa.Table]]]:
        """Path of every data file of the codes table, and a function that reads its `columns`, or raises."""
        table = self.snapshot("codes")
        store = files_of(table)
        for file in data_files(table):
            yield file.path, partial(read_file, store, file, columns)

    def file_count(self) -> int:
        """Data files of the codes table."""
        return len(data_files(self.snapshot("codes")))

    def models(self) -> list[str]:
        """Digests of the models that have codes here, sorted."""
        return _models(self.snapshot("codes"))

    def version(self) -> int:
        """Newest version of the codes table."""
        return self.snapshot("codes").version()

    def compact(self) -> None:
        """Join the many small files that nightly appends leave; changes no row, safe beside writers."""
        for name in TABLES:
            try:
                with store_errors(f"{self.uri}/{name}", writing=True):
                    maintain.compact(self.snapshot(name))
            except CommitFailedError as error:
                raise Temporary(f"{self.shown}/{name}: someone else rewrote the files; compact again later") from error

    def vacuum(self, keep_hours: float, no_writers: bool = False) -> int:
        """Delete files that no version of the last `keep_hours` needs, and what killed runs left; how many.

        Older versions can no longer be loaded. Files of a run beside this one have no version yet, so a time shorter
        than any run is refused (`ConfigError`) unless `no_writers` says that there is none.
        """
        maintain.check_keep_hours(keep_hours, no_writers)
        removed = 0
        for name in TABLES:
            with store_errors(f"{self.uri}/{name}", writing=True):
                removed += maintain.vacuum(self.snapshot(name), keep_hours)
        return removed

    def _the_model(self, table: DeltaTable, wanted: str | None) -> str:
        models = _models(table)
        if not models:
            raise BadStore(f"{self.shown}: the code database is empty; run `spikinghash encode` first")
        if wanted is None and len(models) > 1:
            raise StaleModel(
                f"{self.shown} holds codes of {len(models)} models ({', '.join(models)}); name one of them"
            )
        if wanted is not None and wanted not in models:
            raise StaleModel(
                f"{self.shown} has no codes of model {wanted}, only of {', '.join(models)}; "
                "run `spikinghash encode` with that model"
            )
        return wanted or models[0]


def _columns(table: DeltaTable) -> list[str]:
    """Those of `CODE_ROWS` that a table has."""
    there = {field.name for field in table.schema().fields}
    return [name for name in CODE_ROWS.names if name in there or name not in LATER_COLUMNS]


def _read_rows(table: DeltaTable, model: str | None) -> pa.Table:
    return conform(_read(table, _columns(table), model), CODE_ROWS)


def _read(table: DeltaTable, columns: list[str], model: str | None) -> pa.Table:
    if model is not None and not model.isprintable():
        raise StaleModel(f"no model is called {model!r}")
    chosen = None if model is None else pc.field("model") == model
    files = _files(table, model) if model is not None and table.metadata().partition_columns else None
    with store_errors(table.table_uri):
        return dataset_of(table, files).to_table(columns, filter=chosen)


def _files(table: DeltaTable, model: str) -> list[DataFile]:
    return [file for file in data_files(table) if file.partition.get("model") == model]


def _models(table: DeltaTable) -> list[str]:
    return sorted({part["model"] for part in table.partitions()})


def _distinct(rows: pa.Table, column: str) -> list[str]:
    return pc.unique(rows.column(column)).to_pylist()
