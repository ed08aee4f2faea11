"""`splits.json`: which samples belong to which split, as lists with a checksum, so that a split can be published."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from spikinghash.data.sample_row import SampleRow
from spikinghash.files import write_json
from spikinghash.schema import FRAME_SCHEMA_VERSION

FILE = "splits.json"
SplitLists = dict[str, list[str]]


def split_lists(rows: Iterable[SampleRow]) -> SplitLists:
    """Sorted sample ids of each split."""
    lists: SplitLists = {}
    for row in rows:
        lists.setdefault(row.split, []).append(row.sample_id)
    return {split: sorted(lists[split]) for split in sorted(lists)}


def write_split_lists(folder: Path, lists: SplitLists, *, seed: int) -> str:
    """Write `<folder>/splits.json` and return the checksum of the lists."""
    checksum = _checksum(lists)
    content = {"schema_version": FRAME_SCHEMA_VERSION, "seed": seed, "checksum": checksum, "splits": lists}
    write_json(folder / FILE, content)
    return checksum


def _checksum(lists: SplitLists) -> str:
    return hashlib.sha256(json.dumps(lists, sort_keys=True).encode()).hexdigest()
