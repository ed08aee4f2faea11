"""A table's log made whole: an entry that is missing or damaged becomes one that says nothing.

Versions keep their numbers. What the lost entries said is found again by the data files that no entry names.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyarrow import fs

from spikinghash.codes.log_check import ACTIONS_KEY, LOG, broken_entries, entry_path, log_state, read_entry
from spikinghash.codes.newest import NEWEST, newest
from spikinghash.codes.open_table import create_table, lying_files
from spikinghash.codes.table_files import folder_of, open_files
from spikinghash.errors import BadStore
from spikinghash.files import flush
from spikinghash.redact import redact

OPERATION = "SPIKINGHASH REPAIR"
#: Where damaged entries are kept; Delta's vacuum leaves names with an underscore alone.
_ASIDE = "_damaged"


def mend_log(uri: str, name: str, options: dict[str, str]) -> dict[int, str]:
    """What was wrong with which version of the table's log, all of it mended; nothing may be writing meanwhile.

    Damaged entries are kept in the folder `_damaged` of the table. `BadStore` where there is nothing to mend from.
    """
    where = f"{uri}/{name}"
    store, folder = open_files(where, options), folder_of(where)
    known = None if folder is None else newest(folder)
    state = log_state(store)
    if state.last < 0 and not lying_files(store) and known is None:
        raise BadStore(f"{redact(where)}: nothing is here to repair")
    broken = broken_entries(store, where)
    last = max(state.last, known[0] if known else 0)
    broken |= dict.fromkeys(range(state.last + 1, last + 1), "is missing")
    _fill(store, folder, name, broken)
    if not _opens(where, options):
        checkpoints = [info.path for info in store.get_file_info(fs.FileSelector(LOG)) if "checkpoint" in info.path]
        _set_aside(store, checkpoints)
        lost = {v: "is missing" for v in range(last + 1) if v not in log_state(store).entries}
        _fill(store, folder, name, lost)
        broken |= lost | dict.fromkeys(state.checkpoints, "is a damaged checkpoint")
        if not _opens(where, options):
            raise BadStore(f"{redact(where)}: its log cannot be mended; restore it")
    if known is not None and known[1] != str(DeltaTable(where, storage_options=options).metadata().id):
        after = log_state(store).last + 1
        _fill(store, folder, name, [after])  # from now on this log counts as mended
        broken |= {after: "follows the log of another table"}
    if broken and folder is not None:
        (folder / NEWEST).unlink(missing_ok=True)  # the table may have a new id
    return broken


def named_files(store: fs.FileSystem) -> tuple[bool, set[str]]:
    """Whether the log was ever mended, and the data files that its entries name, whether they add or remove them."""
    mended, named = False, set()
    for version in sorted(log_state(store).entries):
        try:
            actions = read_entry(store, version)
        except ValueError:
            continue  # older than the newest checkpoint, and needed by nobody
        for action in actions:
            mended |= (action.get("commitInfo") or {}).get("operation") == OPERATION
            named |= {action[kind]["path"] for kind in ("add", "remove") if kind in action}
    return mended, named


def _opens(where: str, options: dict[str, str]) -> bool:
    try:
        DeltaTable(where, storage_options=options)
    except DeltaError:
        return False
    return True


def _fill(store: fs.FileSystem, folder: Path | None, name: str, versions: Iterable[int]) -> None:
    """Entries for `versions` that say nothing, or for version 0 what kind of table it is."""
    for version in versions:
        path = entry_path(version)
        if store.get_file_info(path).is_file:
            _set_aside(store, [path])
        if folder is not None:  # an object store has no folders
            store.create_dir(LOG, recursive=True)
        with store.open_output_stream(path) as out:
            out.write(_first_entry(name) if version == 0 else _empty_entry())
        if folder is not None:
            flush(folder / path)
            flush(folder / LOG)


def _set_aside(store: fs.FileSystem, paths: Iterable[str]) -> None:
    for path in paths:
        if isinstance(store, fs.SubTreeFileSystem) and isinstance(store.base_fs, fs.LocalFileSystem):
            store.create_dir(_ASIDE, recursive=True)
        store.move(path, f"{_ASIDE}/{time.time_ns()}-{path.rsplit('/', 1)[-1]}")


def _empty_entry() -> bytes:
    info = {"timestamp": int(time.time() * 1000), "operation": OPERATION, ACTIONS_KEY: "0"}
    return (json.dumps({"commitInfo": info}) + "\n").encode()


def _first_entry(name: str) -> bytes:
    """The first entry of a new table, marked as mended."""
    with tempfile.TemporaryDirectory(prefix="spikinghash-") as folder:
        create_table(folder, name, {})
        entry = (Path(folder) / name / entry_path(0)).read_text()
    return re.sub(r'"operation":"[^"]*"', f'"operation":"{OPERATION}"', entry, count=1).encode()
