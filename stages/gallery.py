"""Stage `gallery`: a page of test queries and what they find in the other modality."""

from __future__ import annotations

from spikinghash.codes.database import CodeDatabase
from spikinghash.pair_params import PairParams, load_pair_params
from spikinghash.pairs.pair_file import PairFile
from spikinghash.report.pair_gallery import pair_gallery
from stages.run_stage import CODES, PAIRS, REPORTS, run_with


def gallery(params: PairParams) -> None:
    """Draw the page."""
    e, codes = params.evaluate, CodeDatabase.open(CODES).load()
    queries, database = codes.in_splits([e.query_split]), codes.in_splits(e.database_splits)
    pair_gallery(PairFile.open(PAIRS), queries, database, REPORTS / "gallery.html")


if __name__ == "__main__":
    run_with(load_pair_params, gallery)
