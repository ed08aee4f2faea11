"""What data sets call their splits."""

from __future__ import annotations

import re

#: Spellings in tables, and what they mean here; "all" and nothing mean that the data set has no split.
SPLIT_NAMES: dict[str, str] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
NO_SPLIT = ("", "all")
#: A folder may say what it is a split of: `train_set`, `Test-Data`.
_FOLDER = re.compile(rf"({'|'.join(SPLIT_NAMES)})(?:[ _-]?(?:set|data|dataset|split|images|events))?")


def split_of_folder(name: str) -> str | None:
    """The split that a folder's name means, whatever its case; None for any other name."""
    match = _FOLDER.fullmatch(name.strip().lower())
    return None if match is None else SPLIT_NAMES[match[1]]
