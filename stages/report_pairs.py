"""Stage `report` of a project of pairs: a page of numbers, test queries and what they find in the other modality."""

from __future__ import annotations

from spikinghash.codes.database import CodeDatabase
from spikinghash.pair_params import PairParams, load_pair_params
from spikinghash.pairs.pair_file import PairFile
from spikinghash.report.pair_page import pair_page
from stages.run_stage import CODES, PAIRS, REPORTS, run_with


def report_pairs(params: PairParams) -> None:
    """Draw the page."""
    e, codes = params.evaluate, CodeDatabase.open(CODES).load()
    queries, database = codes.in_splits([e.query_split]), codes.in_splits(e.database_splits)
    pair_page(PairFile.open(PAIRS), queries, database, REPORTS)


if __name__ == "__main__":
    run_with(load_pair_params, report_pairs)
