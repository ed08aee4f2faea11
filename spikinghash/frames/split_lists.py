"""`splits.json`: which clips belong to which split, as lists with a checksum, so that a split can be published."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from spikinghash.errors import BadStore
from spikinghash.files import write_json
from spikinghash.frames.schema import ClipRow
from spikinghash.schema import FRAME_SCHEMA_VERSION

FILE = "splits.json"
SplitLists = dict[str, list[str]]


def split_lists(rows: Iterable[ClipRow]) -> SplitLists:
    """Sorted clip ids of each split."""
    lists: SplitLists = {}
    for row in rows:
        lists.setdefault(row.split, []).append(row.clip_id)
    return {split: sorted(lists[split]) for split in sorted(lists)}


def write_split_lists(folder: Path, lists: SplitLists, *, seed: int) -> str:
    """Write `<folder>/splits.json` and return the checksum of the lists."""
    checksum = _checksum(lists)
    content = {"schema_version": FRAME_SCHEMA_VERSION, "seed": seed, "checksum": checksum, "splits": lists}
    write_json(folder / FILE, content)
    return checksum


def read_split_lists(folder: Path) -> SplitLists:
    """Read what `write_split_lists` wrote; raises `BadStore` if it is missing, damaged or of another version."""
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema_version"] != FRAME_SCHEMA_VERSION:
            raise BadStore(f"{path} has schema version {content['schema_version']}, not {FRAME_SCHEMA_VERSION}")
        lists: SplitLists = content["splits"]
        if _checksum(lists) != content["checksum"]:
            raise BadStore(f"{path} does not match its checksum; it was edited or damaged, run the stage ingest again")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadStore(f"cannot read {path}: {error}; run the stage ingest again") from error
    return lists


def _checksum(lists: SplitLists) -> str:
    return hashlib.sha256(json.dumps(lists, sort_keys=True).encode()).hexdigest()
