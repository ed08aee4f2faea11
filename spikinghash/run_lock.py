"""One run of a kind at a time in a project: an advisory lock that ends with its process, whatever ends it."""

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
def run_lock(folder: Path, kind: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold `folder/<kind>.lock`; `Temporary`, saying who holds it since when, if that lasts longer than `wait_s`."""
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + wait_s
    with (folder / f"{kind}.lock").open("a+", encoding="utf-8") as lock:
        while not _taken(lock.fileno()):
            if time.monotonic() >= until:
                raise Temporary(f"another {kind} is running here{_holder(lock)}; try again when it has finished")
            time.sleep(_LOOK_S)
        lock.truncate(0)
        lock.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": _now()}))
        lock.flush()
        yield


def _taken(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: Any) -> str:
    lock.seek(0)
    try:
        known = json.loads(lock.read())
        return f", process {known['pid']} on {known['host']} since {known['since']}"
    except (ValueError, KeyError, TypeError):
        return ""  # it has the lock and has not said so yet


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
