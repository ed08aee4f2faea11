"""`splits.json`: which samples belong to which split, as lists with a checksum, so that a split can be published."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.files import write_json
from spikinghash.schema import FRAME_SCHEMA_VERSION, SPLITS

FILE = "splits.json"
SplitLists = dict[str, list[str]]
_MAX_BYTES = 256 << 20


def split_lists(samples: Iterable[tuple[str, str]]) -> SplitLists:
    """Sorted sample ids of each split, from (id, split)."""
    lists: SplitLists = {}
    for name, split in samples:
        lists.setdefault(split, []).append(name)
    return {split: sorted(lists[split]) for split in sorted(lists)}


def write_split_lists(folder: Path, lists: SplitLists, *, seed: int) -> str:
    """Write `<folder>/splits.json` and return the checksum of the lists."""
    checksum = split_checksum(lists)
    content = {"schema_version": FRAME_SCHEMA_VERSION, "seed": seed, "checksum": checksum, "splits": lists}
    write_json(folder / FILE, content)
    return checksum


def read_split_lists(path: Path) -> SplitLists:
    """Undo `write_split_lists`; raises `ConfigError` for a missing or edited file, a strange split, an id twice."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: more than {_MAX_BYTES} bytes are no lists of ours")
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the split lists {path}: {' '.join(str(error).split())}") from None
    lists = content.get("splits") if isinstance(content, dict) else None
    if not isinstance(lists, dict) or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists.values()
    ):
        raise ConfigError(f"{path}: no lists of ids under `splits`; write it as `splits.json` of an ingest is")
    strange = next((split for split in lists if split not in SPLITS), None)
    if strange is not None:
        raise ConfigError(f"{path}: no split is called {strange!r}; there are {', '.join(SPLITS)}")
    if split_checksum(lists) != content.get("checksum"):
        raise ConfigError(f"{path}: its lists do not have its checksum: it was edited or damaged; write it anew")
    if len(set().union(*lists.values())) != sum(map(len, lists.values())):
        raise ConfigError(f"{path}: an id stands in it twice; each belongs to one split")
    return lists


def split_checksum(lists: SplitLists) -> str:
    """SHA-256 of the lists, 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(lists, sort_keys=True).encode()).hexdigest()
