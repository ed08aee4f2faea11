"""What data sets call their splits."""

from __future__ import annotations

#: Spellings in use, and what they mean here; "all" and nothing mean that the data set has no split.
SPLIT_NAMES: dict[str, str] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}
NO_SPLIT = ("", "all")
