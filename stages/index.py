"""Stage `index`: a search index over the database splits."""

from __future__ import annotations

from spikinghash.codes.database import CodeDatabase
from spikinghash.index.flat import build_index
from spikinghash.params import Params
from stages.run_stage import CODES, INDEX, run


def index(params: Params) -> None:
    """Index the clips that queries are compared with."""
    codes = CodeDatabase.open(CODES).load()
    build_index(codes.in_splits(params.evaluate.database_splits), INDEX)


if __name__ == "__main__":
    run(index)
