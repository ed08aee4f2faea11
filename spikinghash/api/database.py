"""A code database to read: what `spikinghash encode` and the pipeline wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from spikinghash.api.codes import Codes, codes_of
from spikinghash.api.hits import Hits
from spikinghash.api.search import search_in
from spikinghash.codes import database
from spikinghash.errors import ConfigError
from spikinghash.index.index_folder import index_folder
from spikinghash.index.searcher import open_searcher


@dataclass(frozen=True)
class CodeDatabase:
    """The newest version of a code database, read anew by every call; nothing here writes.

    Every method raises `BadStore` for a damaged or foreign table.
    """

    table: database.CodeDatabase

    @classmethod
    def open(cls, place: str | Path) -> CodeDatabase:
        """The database in a folder or at an object-store address; `BadStore` if there is none."""
        return cls(database.CodeDatabase.open(place))

    def __len__(self) -> int:
        """Number of clips, those of all models together."""
        return int(self.table.snapshot("codes").count())

    def __repr__(self) -> str:
        return f"CodeDatabase({self.table.shown!r})"

    def models(self) -> list[str]:
        """Digests of the models that have codes here, sorted."""
        return self.table.models()

    def codes(self, model: str | None = None, *, split: str | None = None, version: int | None = None) -> Codes:
        """The codes of one model (digest; None: the only one), ordered by id, of one split or all, now or as they were.

        Raises `StaleModel` naming the models there are, `ConfigError` for an unknown split or version, `BadStore` for
        an empty database.
        """
        return codes_of(self.table.load(model, split, version))

    def rows(self, model: str | None = None) -> pa.Table:
        """Every column of all clips, or of one model's, in no particular order."""
        return self.table.rows(model)

    def search(self, query: Codes, k: int = 10) -> Hits:
        """The k nearest clips to each of Q queries among the codes of their model; exact.

        Clips of a query's own recording are left out. The index of `spikinghash index` is used where there is one.
        Raises `StaleModel` where there are no codes of the model, `ConfigError` for k < 1 or no queries.
        """
        if len(query) == 0:
            raise ConfigError("there is no query; give at least one clip")
        folder = index_folder(self.table.uri, query.model)
        return search_in(query, open_searcher(self.table, query.model, folder), k)
