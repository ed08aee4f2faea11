"""Other splits for a file of pairs that is there."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

from spikinghash.datasets.split_lists import SplitLists, split_checksum, write_split_lists
from spikinghash.errors import ConfigError
from spikinghash.files import write_json
from spikinghash.pairs.import_pairs import LEDGER_FILE
from spikinghash.pairs.pair_file import PairFile, PairWriter


def resplit(folder: Path, lists: SplitLists, *, seed: int, drawn_by: str) -> str:
    """Give the pairs in `folder` the splits of `lists`, which have each of them; returns the checksum of the lists.

    `made_by` of the file then says by what they were drawn, from which seed, and the checksum. The ledger's counts of
    splits and splits.json follow. Raises `ConfigError` for lists of other pairs.
    """
    splits = {name: split for split, names in lists.items() for name in names}
    file = PairFile.open(folder)
    if {pair.pair_id for pair in file.pairs(columns=[])} != set(splits):
        raise ConfigError(f"{file.path}: the split lists are of other pairs; draw them from these")
    made_by = {"drawn_by": drawn_by, "seed": seed, "checksum": split_checksum(lists)}
    with PairWriter(folder, {**file.spec.made_by, "splits": made_by}) as writer:
        for pair in file.pairs():
            writer.add(replace(pair, split=splits[pair.pair_id]))
    ledger = json.loads((folder / LEDGER_FILE).read_bytes())
    write_json(folder / LEDGER_FILE, ledger | {"splits": dict(Counter(splits.values()))})
    return write_split_lists(folder, lists, seed=seed)
