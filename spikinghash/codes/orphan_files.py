"""What a killed writer leaves in a local table: files that were never given their name."""

from __future__ import annotations

import re
import time
from pathlib import Path

#: delta-rs writes `<name>#<number>`, then renames; it never lists such files, so its vacuum leaves them for good.
_STAGED = re.compile(r".+\.(parquet|json|crc)#\d+")


def remove_staged(folder: Path | None, older_than_s: float) -> int:
    """Delete staged files of the table in a local folder that nobody has touched for so long; how many.

    An object store (None) has none: it throws away unfinished uploads itself.
    """
    if folder is None:
        return 0
    until = time.time() - older_than_s
    return sum(_remove(path, until) for path in folder.rglob("*#*") if _STAGED.fullmatch(path.name))


def _remove(path: Path, until: float) -> bool:
    """Delete a file that nobody touched since; a writer beside us may give it its name at any moment."""
    try:
        if path.stat().st_mtime > until:
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True
