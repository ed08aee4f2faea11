"""One run at a time in a project, of a kind or of kinds that exclude one another: an advisory lock that ends with its
process, whatever ends it.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spikinghash.errors import Temporary

_LOOK_S = 0.5


@contextmanager
def run_lock(folder: Path, name: str, wait_s: float = 0.0, *, run: str | None = None) -> Iterator[None]:
    """Hold `folder/<name>.lock` for a `run`, by default of that name.

    `Temporary`, saying which run holds it since when, if that lasts longer than `wait_s`.
    """
    run = run or name
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + wait_s
    with (folder / f"{name}.lock").open("a+", encoding="utf-8") as lock:
        while not _taken(lock.fileno()):
            if time.monotonic() >= until:
                raise Temporary(f"{_holder(lock, run)}; try again when it has finished")
            time.sleep(_LOOK_S)
        lock.truncate(0)
        lock.write(json.dumps({"run": run, "pid": os.getpid(), "host": socket.gethostname(), "since": _now()}))
        lock.flush()
        yield


def _taken(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: Any, run: str) -> str:
    lock.seek(0)
    try:
        known = json.loads(lock.read())
        other, since = known["run"], f", process {known['pid']} on {known['host']} since {known['since']}"
    except (ValueError, KeyError, TypeError):
        # it has the lock and has not said so yet
        other, since = run, ""
    return f"{'another ' if other == run else ''}{other} is running here{since}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
