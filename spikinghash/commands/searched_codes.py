"""The codes that `spikinghash search` looks through, and what is to be said about how it did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from spikinghash.index.searcher import Searcher


@dataclass(frozen=True)
class SearchedCodes:
    """A code database at `db`, now or at a `version`, through the index in a folder, by default its own."""

    db: str
    index: Path | None
    version: int | None
    approximate: bool

    def of(self, model: str) -> Searcher:
        """The codes of a model by its digest; errors of `open_searcher`."""
        from spikinghash.codes.database import CodeDatabase
        from spikinghash.index.index_folder import index_folder
        from spikinghash.index.searcher import open_searcher

        folder = self.index or index_folder(self.db, model)
        return open_searcher(CodeDatabase.open(self.db), model, folder, self.version, self.approximate)


def tell_how(codes: Searcher) -> None:
    """After a search: why no index was used, and how good an approximate one is."""
    if codes.note is not None:
        typer.echo(f"spikinghash: all codes were read: {codes.note}", err=True)
    if codes.quick is not None:
        recall = codes.quick.about["recall"]
        typer.echo(f"spikinghash: approximate, recall {recall:.3f} when the index was built", err=True)
