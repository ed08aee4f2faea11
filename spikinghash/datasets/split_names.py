"""What data sets call their splits."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Spellings in tables, and what they mean here; "all" and nothing mean that the data set has no split.
SPLIT_NAMES: dict[str, str] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
    "query": "test",
    "database": "database",
    "retrieval": "database",
}
NO_SPLIT = ("", "all")
#: Folders have further names for them, and say what they are a split of: `train_set`, `Test-Data`.
_WORDS = {name: split for name, split in SPLIT_NAMES.items() if name not in ("query", "database", "retrieval")}
_WORDS |= {"dev": "val", "eval": "test", "evaluation": "test"}
_FOLDER = re.compile(rf"({'|'.join(_WORDS)})(?:[ _-]?(?:set|data|dataset|split|images|events))?")


def split_of_folder(name: str) -> str | None:
    """The split that a folder's name means, whatever its case; None for any other name."""
    match = _FOLDER.fullmatch(name.strip().lower())
    return None if match is None else _WORDS[match[1]]


def splits_of_folders(names: Iterable[str]) -> dict[str, str]:
    """Names and the splits that they mean: those that are such names, or all where each has one word of a split in it.

    So `train2017` and `test2017` are splits, and `test_tube` beside `bottle` is none.
    """
    exact = {name: split for name in names if (split := split_of_folder(name)) is not None}
    if exact:
        return exact
    within = {name: {_WORDS[word] for word in re.findall("[a-z]+", name.lower()) if word in _WORDS} for name in names}
    if not all(len(found) == 1 for found in within.values()) or len(set().union(*within.values())) < 2:
        return {}
    return {name: found.pop() for name, found in within.items()}
