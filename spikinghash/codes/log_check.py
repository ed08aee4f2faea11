"""Whether the log of a table is whole: delta-rs takes an empty entry for one that changed nothing."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any

from pyarrow import fs

LOG = "_delta_log"
#: In the commit information of our entries: how many files they add and remove.
ACTIONS_KEY = "spikinghash.actions"
_LOOKS, _LOOK_AGAIN_S = 3, 0.05
#: Entries that this process has read, as they were then.
_whole: dict[tuple[str, int], tuple[int, int]] = {}
_ENTRY = re.compile(r"^(\d{20})\.json$")
_CHECKPOINT = re.compile(r"^(\d{20})\.checkpoint[^/]*\.parquet$")


@dataclass(frozen=True)
class LogState:
    """Sizes in bytes and times of the entries by version, and the versions of the checkpoints."""

    entries: dict[int, tuple[int, int]]
    checkpoints: list[int]

    @property
    def first(self) -> int:
        """The version from which on every entry is needed."""
        return max(self.checkpoints) + 1 if self.checkpoints else 0

    @property
    def last(self) -> int:
        """The newest version, -1 for none."""
        return max([*self.entries, *self.checkpoints, -1])

    def needed(self) -> range:
        """Versions whose entries are read to know what the table holds."""
        return range(self.first, self.last + 1)

    def problems(self) -> dict[int, str]:
        """What is wrong with which of them, as far as names and sizes tell."""
        entries = {version: self.entries.get(version) for version in self.needed()}
        return {v: "is missing" if e is None else "is empty" for v, e in entries.items() if e is None or not e[0]}


def log_state(store: fs.FileSystem) -> LogState:
    """The log of a table whose files are in `store`; an empty one where there is none."""
    entries: dict[int, tuple[int, int]] = {}
    checkpoints: list[int] = []
    for info in store.get_file_info(fs.FileSelector(LOG, allow_not_found=True)):
        name = info.base_name
        if entry := _ENTRY.match(name):
            entries[int(entry[1])] = (info.size or 0, info.mtime_ns or 0)
        elif checkpoint := _CHECKPOINT.match(name):
            checkpoints.append(int(checkpoint[1]))
    return LogState(entries, checkpoints)


def entry_path(version: int) -> str:
    """Path of a log entry in its table."""
    return f"{LOG}/{version:020}.json"


def read_entry(store: fs.FileSystem, version: int) -> list[dict[str, Any]]:
    """The actions of an entry; `ValueError` says why it is none."""
    with store.open_input_stream(entry_path(version)) as stream:
        content = stream.read()
    try:
        actions = [json.loads(line) for line in content.decode().splitlines() if line.strip()]
    except ValueError as error:
        raise ValueError(f"is damaged: {error}") from None
    if not actions or not all(isinstance(action, dict) for action in actions):
        raise ValueError("is empty" if not actions else "is damaged: not an object a line")
    stated = next((a["commitInfo"].get(ACTIONS_KEY) for a in actions if isinstance(a.get("commitInfo"), dict)), None)
    there = sum(1 for action in actions if "add" in action or "remove" in action)
    if stated is not None and str(there) != str(stated):
        raise ValueError(f"is cut: {there} files, {stated} were committed")
    return actions


def broken_entries(store: fs.FileSystem, where: str) -> dict[int, str]:
    """What is wrong with which needed entry of the table `where`.

    One that did not change since this process read it is not read again.
    """
    state = log_state(store)
    for _ in range(_LOOKS - 1):
        if not state.problems():
            break
        # a folder that grows while it is listed may show an entry and not the one before
        time.sleep(_LOOK_AGAIN_S)
        state = log_state(store)
    found = state.problems()
    for version in state.needed():
        mark = (where, version)
        if version in found or _whole.get(mark) == state.entries[version]:
            continue
        try:
            read_entry(store, version)
        except ValueError as error:
            found[version] = str(error)
        else:
            _whole[mark] = state.entries[version]
    return dict(sorted(found.items()))
