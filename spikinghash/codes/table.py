"""The code database: Delta tables `<db>/codes` and `<db>/quarantine`, one row per clip and model."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from numpy.typing import NDArray

from spikinghash.codes.codeset import CodeSet, codeset_from_rows
from spikinghash.codes.commit import Appended, append_new
from spikinghash.codes.rows import CODE_KEY, CODE_ROWS, QUARANTINE_KEY, QUARANTINE_ROWS, code_width, conform
from spikinghash.codes.staged import remove_staged
from spikinghash.codes.store_errors import store_errors
from spikinghash.codes.table_files import dataset_of, local_folder
from spikinghash.errors import BadStore, ConfigError, StaleModel, Temporary
from spikinghash.schema import CODE_SCHEMA_VERSION

_VERSION_KEY = "spikinghash.schema"
_TABLES = {"codes": CODE_ROWS, "quarantine": QUARANTINE_ROWS}


@dataclass(frozen=True)
class CodeDatabase:
    """Where a code database is. It holds no snapshot: every call reads the newest version.

    `uri` is a local folder or an object-store address, `storage_options` are Delta Lake's. Every method raises
    `BadStore` for a damaged or foreign table and `Temporary` for a full disk.
    """

    uri: str
    storage_options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, uri: str | Path, storage_options: dict[str, str] | None = None) -> CodeDatabase:
        """An existing database; `BadStore` if there is none or its schema version is not ours."""
        database = cls(str(uri).rstrip("/"), dict(storage_options or {}))
        for name in _TABLES:
            database._snapshot(name)
        return database

    @classmethod
    def create_or_open(cls, uri: str | Path, storage_options: dict[str, str] | None = None) -> CodeDatabase:
        """The database at `uri`, made if it is not there. Two processes may call this at once."""
        database = cls(str(uri).rstrip("/"), dict(storage_options or {}))
        for name, schema in _TABLES.items():
            database._create(name, schema)
        return cls.open(uri, storage_options)

    def append(self, rows: pa.Table) -> Appended:
        """Add rows (columns of `CODE_ROWS`), exactly once by clip id and model.

        A row that is there already stays as it is. Codes must be as wide as the model's codes already are,
        else `BadStore`. `Temporary` when other writers win every time.
        """
        rows = conform(rows, CODE_ROWS)
        if "" in _distinct(rows, "model"):
            raise BadStore("a row has an empty model digest")  # Delta reads an empty partition value back as null
        widths = {model: code_width(rows.filter(pc.field("model") == model)) for model in _distinct(rows, "model")}

        def same_width(table: DeltaTable) -> None:
            for model, width in widths.items():
                with store_errors(table.table_uri):
                    one = dataset_of(table).head(1, columns=["code"], filter=pc.field("model") == model)
                there = code_width(one)
                if there and there != width:
                    raise BadStore(f"{self.uri}: model {model} has codes of {there} bytes, not {width}")

        return append_new(lambda: self._snapshot("codes"), rows, CODE_KEY, same_width)

    def quarantine(self, rows: pa.Table) -> Appended:
        """Add refused recordings (columns of `QUARANTINE_ROWS`), exactly once by SHA-256, path and model."""
        return append_new(lambda: self._snapshot("quarantine"), conform(rows, QUARANTINE_ROWS), QUARANTINE_KEY)

    def load(self, model: str | None = None, split: str | None = None, version: int | None = None) -> CodeSet:
        """The codes of one model, of one split or all, ordered by clip id; now, or as they were at a `version`.

        Without `model` the database must hold one model only. `StaleModel` names the models there are,
        `ConfigError` an unknown split or version, `BadStore` an empty database or a version that `vacuum` removed.
        """
        table = self._snapshot("codes", version)
        chosen = self._the_model(table, model)
        rows = _read(table, CODE_ROWS.names, chosen)
        files = tuple(fragment.path for fragment in _fragments(table, chosen))
        if split is not None:
            splits = sorted(str(name) for name in _distinct(rows, "split"))
            rows = rows.filter(pc.field("split") == split)
            if rows.num_rows == 0:
                raise ConfigError(f"{self.uri}: no clip in split {split!r}; splits: {', '.join(splits)}")
            files = ()
        return codeset_from_rows(rows, chosen, table.version(), files)

    def load_beyond(self, model: str, covered: Collection[str]) -> list[CodeSet] | None:
        """The codes of one model that are in other data files than `covered`, as one `CodeSet` or, for none, nothing.

        None if a covered file is gone: then the files were rewritten, and all must be read again.
        """
        table = self._snapshot("codes")
        fragments = _fragments(table, self._the_model(table, model))
        if not set(covered) <= {fragment.path for fragment in fragments}:
            return None
        new = [fragment for fragment in fragments if fragment.path not in set(covered)]
        with store_errors(table.table_uri):
            parts = [_with_partition(fragment, CODE_ROWS.names) for fragment in new]
        if not sum(part.num_rows for part in parts):
            return []
        paths = tuple(fragment.path for fragment in new)
        return [codeset_from_rows(pa.concat_tables(parts), model, table.version(), paths)]

    def committed_ids(self, model: str) -> set[str]:
        """Clip ids that `model` has hashed."""
        return set(_read(self._snapshot("codes"), ["clip_id"], model).column("clip_id").to_pylist())

    def committed_recordings(self, model: str) -> set[str]:
        """SHA-256 of the recordings that `model` has hashed; reads that column alone, for archives only grow."""
        return set(_read(self._snapshot("codes"), ["recording_sha256"], model).column("recording_sha256").to_pylist())

    def committed_since(self, model: str, since: datetime, clip_ids: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Which of `clip_ids` [N] were hashed by `model` at `since` or later, bool [N]."""
        found = _read(self._snapshot("codes"), ["clip_id", "encoded_at"], model)
        late = found.filter(pc.field("encoded_at") >= pa.scalar(since, pa.timestamp("us", "UTC")))
        new = set(late.column("clip_id").to_pylist())
        return np.array([clip_id in new for clip_id in clip_ids], dtype=np.bool_)

    def rows(self, model: str | None = None, version: int | None = None) -> pa.Table:
        """All rows of the codes table, or one model's, in no particular order; now or as they were at a `version`."""
        return _read(self._snapshot("codes", version), CODE_ROWS.names, model)

    def quarantined(self, model: str | None = None) -> pa.Table:
        """All quarantine rows, or one model's, in no particular order."""
        return _read(self._snapshot("quarantine"), QUARANTINE_ROWS.names, model)

    def data_files(self, columns: list[str]) -> Iterator[tuple[str, Callable[[], pa.Table]]]:
        """Address of every data file of the codes table, and a function that reads its `columns`, or raises."""
        with store_errors(self.uri):
            fragments = list(dataset_of(self._snapshot("codes")).get_fragments())
        for fragment in fragments:
            yield fragment.path, functools.partial(_with_partition, fragment, columns)

    def file_count(self) -> int:
        """Data files of the codes table."""
        return sum(1 for _ in self.data_files([]))

    def models(self) -> list[str]:
        """Digests of the models that have codes here, sorted."""
        return _models(self._snapshot("codes"))

    def version(self) -> int:
        """Newest version of the codes table."""
        return self._snapshot("codes").version()

    def compact(self) -> None:
        """Join the many small files that nightly appends leave; changes no row, safe beside writers."""
        for name in _TABLES:
            try:
                with store_errors(self.uri, writing=True):
                    self._snapshot(name).optimize.compact()
            except CommitFailedError as error:
                raise Temporary(f"{self.uri}/{name}: someone else rewrote the files; compact again later") from error

    def vacuum(self, keep_hours: float) -> int:
        """Delete files that no version of the last `keep_hours` needs, and what killed runs left; how many.

        Older versions can no longer be loaded. `keep_hours` must exceed the length of any run beside this one, whose
        files have no version yet.
        """
        if keep_hours < 0:
            raise ConfigError(f"keep_hours must not be negative, is {keep_hours}")
        removed = 0
        for name in _TABLES:
            with store_errors(f"{self.uri}/{name}", writing=True):
                # "full": a file that was written but not committed when its run was killed is in no log
                hours = math.ceil(keep_hours)
                table = self._snapshot(name)
                gone = table.vacuum(hours, False, enforce_retention_duration=False, full=True)
                removed += len(gone) + remove_staged(local_folder(table), 3600 * keep_hours)
        return removed

    def _the_model(self, table: DeltaTable, wanted: str | None) -> str:
        models = _models(table)
        if not models:
            raise BadStore(f"{self.uri}: the code database is empty; run `spikinghash encode` first")
        if wanted is None and len(models) > 1:
            raise StaleModel(f"{self.uri} holds codes of {len(models)} models ({', '.join(models)}); name one of them")
        if wanted is not None and wanted not in models:
            raise StaleModel(
                f"{self.uri} has no codes of model {wanted}, only of {', '.join(models)}; "
                "run `spikinghash encode` with that model"
            )
        return wanted or models[0]

    def _snapshot(self, name: str, version: int | None = None) -> DeltaTable:
        where = f"{self.uri}/{name}"
        try:
            with store_errors(where):
                table = DeltaTable(where, storage_options=self.storage_options)
                if version is not None:
                    if not 0 <= version <= table.version():
                        raise ConfigError(f"{where}: no version {version}; the newest is {table.version()}")
                    table.load_as_version(version)
        except BadStore as error:
            if isinstance(error.__cause__, TableNotFoundError):
                raise BadStore(f"{self.uri}: no code database here; `spikinghash encode` makes one") from None
            raise
        found = table.metadata().configuration.get(_VERSION_KEY)
        if found != str(CODE_SCHEMA_VERSION):
            raise BadStore(f"{where}: schema version {found}, this program reads {CODE_SCHEMA_VERSION}")
        return table

    def _create(self, name: str, schema: pa.Schema) -> None:
        where = f"{self.uri}/{name}"
        try:
            with store_errors(where, writing=True):
                DeltaTable.create(
                    where,
                    schema,
                    mode="ignore",
                    partition_by=["model"] if name == "codes" else None,
                    name=name,
                    configuration={_VERSION_KEY: str(CODE_SCHEMA_VERSION)},
                    storage_options=self.storage_options,
                    raise_if_key_not_exists=False,
                )
        except CommitFailedError:
            pass  # another process made it between our look and our commit


def _read(table: DeltaTable, columns: list[str], model: str | None) -> pa.Table:
    chosen = None if model is None else pc.field("model") == model
    with store_errors(table.table_uri):
        return dataset_of(table).to_table(columns, filter=chosen)


def _fragments(table: DeltaTable, model: str) -> list[Any]:
    with store_errors(table.table_uri):
        return list(dataset_of(table).get_fragments(filter=pc.field("model") == model))


def _with_partition(fragment: Any, columns: list[str]) -> pa.Table:
    """Columns of one data file; `model` is not in the file but in its partition."""
    part = ds.get_partition_keys(fragment.partition_expression)
    stored = fragment.to_table(columns=[c for c in columns if c not in part])
    for name in columns:
        if name in part:
            stored = stored.append_column(name, pa.repeat(pa.scalar(part[name], pa.string()), stored.num_rows))
    return stored.select(columns)


def _models(table: DeltaTable) -> list[str]:
    return sorted({part["model"] for part in table.partitions()})


def _distinct(rows: pa.Table, column: str) -> list[str]:
    return pc.unique(rows.column(column)).to_pylist()
