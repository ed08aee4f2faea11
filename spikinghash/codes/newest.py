"""The newest version that a writer of a local table has seen: a log that went backwards is an error, not a fact.

The file `_newest.json` lies beside the log. It is written after a commit and may lag behind, but is never ahead.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from deltalake import DeltaTable

#: Begins with an underscore, so that Delta's vacuum leaves it alone.
NEWEST = "_newest.json"


def newest(folder: Path) -> tuple[int, str] | None:
    """(version, id of the table) that was committed at least, None where nothing is known."""
    try:
        known = json.loads((folder / NEWEST).read_bytes())
        return int(known["version"]), str(known["table"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(folder: Path, table: DeltaTable) -> None:
    """Write down the version of `table`, unless a later one is known already."""
    known, here = newest(folder), (table.version(), str(table.metadata().id))
    if known is not None and known[1] == here[1] and known[0] >= here[0]:
        return
    # named like the drafts of delta-rs, which are cleaned up where a killed run left them
    draft = folder / f"{NEWEST}#{os.getpid()}"
    draft.write_text(json.dumps({"version": here[0], "table": here[1]}))
    draft.replace(folder / NEWEST)
