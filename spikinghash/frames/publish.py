"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spikinghash.errors import Temporary


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Yield a path to write to; on success it is flushed to disk and renamed to `path`, on failure removed.

    Raises `Temporary` when the disk is full; other errors of the body pass through.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.tmp")
    try:
        yield draft
        _flush(draft)
        draft.replace(path)
        _flush(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Temporary(f"no space left to write {path}; free some and run again") from error
        raise
    finally:
        draft.unlink(missing_ok=True)


def publish_json(path: Path, content: Any) -> None:
    """Write `content` as readable JSON with sorted keys, whole or not at all."""
    with publish(path) as draft:
        draft.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
