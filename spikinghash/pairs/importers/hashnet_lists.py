"""The importer `hashnet_lists`: `train.txt`, `test.txt`, `database.txt` with "path 0 1 0 ..." a line.

As shared with HashNet (Cao et al., "HashNet: Deep Learning to Hash by Continuation", ICCV 2017) and its successors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from spikinghash.errors import ConfigError
from spikinghash.pairs.import_pairs import Found
from spikinghash.pairs.importers.label_rows import names_of_row, read_names
from spikinghash.pairs.importers.picture_place import place_of
from spikinghash.pairs.pair import BadPair, Candidate, RefusedPair

_LISTS = {"train": "train.txt", "test": "test.txt", "database": "database.txt"}


def hashnet_pairs(
    path: Path,
    *,
    pictures: str = ".",
    lists: Mapping[str, str] | None = None,
    label_names: str | Sequence[str] | None = None,
) -> Iterator[Found]:
    """A pair without text a line of the lists (by split, by default train.txt, test.txt, database.txt) in `path`.

    `pictures` is the folder that listed paths start from, from `path`. A line of the database that is in the list
    train too is one pair, which trains. `label_names` are a list, or a JSON file in `path`; without them a label is its
    place.
    Raises `ConfigError` for a list that is missing or has a line of another kind.
    """
    names, training = read_names(path, label_names), set[str]()
    for split, name in (lists or _LISTS).items():
        for number, listed, row in _lines(path / name):
            if split == "train":
                training.add(listed)
            elif split == "database" and listed in training:
                continue
            where = f"{name} line {number}"
            labels = names_of_row(row, names, f"{path / name} line {number}")
            try:
                place, moved = place_of(path / pictures, listed)
            except BadPair as error:
                yield RefusedPair.of(listed, where, error)
                continue
            yield Candidate(listed, where, labels=labels, picture=place, split=split, re_rooted=moved)


def _lines(path: Path) -> Iterator[tuple[int, str, np.ndarray]]:
    width = None
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                words = line.split()
                if not words:
                    continue
                row = words[1:]
                if not row or set(row) - {"0", "1"} or len(row) != (width or len(row)):
                    raise ConfigError(f"{path} line {number}: no path and {width or 'some'} labels, each 0 or 1")
                width = len(row)
                yield number, words[0], np.array(row, np.int8)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
