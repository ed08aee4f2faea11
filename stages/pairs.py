"""Stage `pairs`: somebody's pictures and texts to `pairs.parquet`, split lists and a ledger."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from spikinghash.pair_params import PairParams, PairsParams, load_pair_params
from spikinghash.pairs.import_pairs import import_pairs
from spikinghash.pairs.importers.table import find_pairs
from spikinghash.pairs.pair_file import PairFile
from spikinghash.pairs.protocols import draw_protocol
from spikinghash.pairs.resplit import resplit
from spikinghash.pairs.split_rules import split_rule
from spikinghash.progress import progress_bar
from stages.run_stage import PAIRS, run_with


def pairs(params: PairParams) -> None:
    """Import the pairs."""
    import_into(params.pairs, PAIRS)


def import_into(p: PairsParams, out: Path) -> None:
    """Import a set of pairs into the folder `out`."""
    found = find_pairs(p.importer, Path(p.path), p.options)
    made_by = {"importer": p.importer, "options": p.options, "split": p.split.model_dump(mode="json")}
    rule = split_rule(**p.split.model_dump(exclude={"protocol"}))
    with progress_bar("pairs") as progress:
        ledger = import_pairs(
            found, out, split=rule, needs=p.needs, made_by=made_by, seed=p.split.seed,
            progress=lambda done: progress(done, None),
        )  # fmt: skip
    if p.split.protocol is not None:
        lists = draw_protocol(p.split.protocol, PairFile.open(out).pairs(columns=["labels"]), p.split.seed)
        resplit(out, lists, seed=p.split.seed, drawn_by=p.split.protocol)
        ledger.splits = Counter({split: len(names) for split, names in lists.items()})
    refused = f", refused {ledger.reasons}" if ledger.refused else ""
    print(f"{ledger.accepted} of {ledger.found} pairs: {dict(ledger.splits)}{refused}")  # noqa: T201


if __name__ == "__main__":
    run_with(load_pair_params, pairs)
