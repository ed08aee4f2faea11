"""Telling recordings that are there from those that somebody is still copying.

Half of an N-MNIST file is a good recording of its own: hashed too early, it would stay in the database for good.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path

from spikinghash.codes.signals import Stop

#: How long nobody may have written to a file before it is taken, in seconds.
SETTLE_S = 2.0

_State = tuple[int, int]


def settle(
    files: Iterable[Path], settle_s: float = SETTLE_S, stop: Stop | None = None
) -> tuple[list[Path], list[Path]]:
    """Files that nobody has written to for `settle_s`, and those that are still being written to.

    Files younger than that are watched for as long, all at once, so that what was just copied is taken as well. What is
    no regular file, or is gone, is for the reader to refuse.
    """
    paths = list(files)
    young = {path: state for path in paths if (state := _young(path, settle_s)) is not None}
    if young:
        # a clock that goes ahead writes times that never become old: what counts is that nothing changes
        with (stop or Stop()).interruptible():
            time.sleep(settle_s)
    growing = {path for path, before in young.items() if _state(path) not in (before, None)}
    return [path for path in paths if path not in growing], [path for path in paths if path in growing]


def _young(path: Path, settle_s: float) -> _State | None:
    state = _state(path)
    return state if state is not None and time.time() - state[1] / 1e9 < settle_s else None


def _state(path: Path) -> _State | None:
    try:
        facts = os.lstat(path)
    except (OSError, ValueError):
        return None
    return (facts.st_size, facts.st_mtime_ns) if stat.S_ISREG(facts.st_mode) else None
