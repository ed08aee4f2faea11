"""Which split a pair belongs to: as the set states, by row numbers, by lists of ids, or drawn."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from spikinghash.datasets.split_lists import SplitLists, read_split_lists
from spikinghash.datasets.split_names import SPLIT_NAMES
from spikinghash.errors import ConfigError
from spikinghash.pairs.pair import Candidate
from spikinghash.schema import SPLITS

#: From the number of a pair in its set, 0-based, and the pair to the split's name; None for a pair of no split.
SplitRule = Callable[[int, Candidate], str | None]
_RANGE = re.compile(r"(\d+)-(\d+)")


def by_statement(row: int, found: Candidate) -> str | None:
    """The split that the set states, whatever it calls it."""
    return SPLIT_NAMES.get((found.split or "").strip().lower())


def by_rows(ranges: Mapping[str, str]) -> SplitRule:
    """Ranges such as {"test": "0-999", "train": "1000-3499", "database": "1000-4999"}, both ends inclusive.

    A row of two ranges belongs to the first in the order train, val, test, database: who trains is in the database too.
    Raises `ConfigError` for a strange split or range, and where queries would be found by themselves.
    """
    known = {split: _range(split, ranges[split]) for split in ranges}
    for other in set(known) - {"test"}:
        if "test" in known and set(known["test"]) & set(known[other]):
            raise ConfigError(f"the rows of the split test, which asks, and of {other} overlap; part them")
    return lambda row, found: next((split for split in SPLITS if split in known and row in known[split]), None)


def _range(split: str, text: str) -> range:
    if split not in SPLITS:
        raise ConfigError(f"no split is called {split!r}; there are {', '.join(SPLITS)}")
    match = _RANGE.fullmatch(text.strip())
    if match is None or int(match[1]) > int(match[2]):
        raise ConfigError(f"the rows of {split} are {text!r}; write them as first-last, such as 0-999")
    return range(int(match[1]), int(match[2]) + 1)


def by_lists(lists: SplitLists) -> SplitRule:
    """Ids by split, such as a protocol draws."""
    splits = {name: split for split, names in lists.items() for name in names}
    return lambda row, found: splits.get(found.pair_id)


def by_draw(fractions: Mapping[str, float], seed: int) -> SplitRule:
    """About these fractions, such as {"test": 0.2, "val": 0.1}; the rest trains. A group stays together.

    Each draw depends on the seed and the group's name alone. Raises `ConfigError` for fractions that are none.
    """
    if set(fractions) - set(SPLITS[1:]) or min(fractions.values(), default=0) < 0 or sum(fractions.values()) >= 1:
        raise ConfigError(f"fractions of {', '.join(SPLITS[1:])} below 1 in all, not {dict(fractions)}")

    def split(row: int, found: Candidate) -> str:
        digest = hashlib.sha256(f"pairs\0{seed}\0{found.group or found.pair_id}".encode()).digest()
        place, below = int.from_bytes(digest[:8], "big") / 2**64, 0.0
        for name in SPLITS[1:]:
            below += fractions.get(name, 0.0)
            if place < below:
                return name
        return SPLITS[0]

    return split


def _with_validation(rule: SplitRule, fraction: float, seed: int) -> SplitRule:
    """`rule`, with about a fraction of what would train drawn for validation."""
    draw = by_draw({"val": fraction}, seed)

    def split(row: int, found: Candidate) -> str | None:
        name = rule(row, found)
        return draw(row, found) if name == "train" else name

    return split


def split_rule(
    *,
    stated: bool = False,
    rows: Mapping[str, str] | None = None,
    file: str | None = None,
    drawn: Mapping[str, float] | None = None,
    val_fraction: float = 0.0,
    seed: int = 0,
) -> SplitRule:
    """The one rule that is named; with none, what the set states, and what it states nothing of trains.

    `file` are lists that `write_split_lists` wrote. Raises `ConfigError` as the rules do.
    """
    if rows is not None:
        rule = by_rows(rows)
    elif file is not None:
        rule = by_lists(read_split_lists(Path(file)))
    elif drawn is not None:
        rule = by_draw(drawn, seed)
    else:
        rule = by_statement if stated else lambda row, found: by_statement(row, found) or "train"
    return _with_validation(rule, val_fraction, seed) if val_fraction else rule
