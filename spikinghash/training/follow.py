"""Whoever waits for a training hears of its epochs and of its restarts, from the history that rank 0 writes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spikinghash.training import history

_POLL_S = 0.5


def follow(
    log: Path, watch: Callable[[dict[str, Any]], None] | None, say: Callable[[str], None] | None, stop: threading.Event
) -> None:
    """Call `watch` with each epoch and `say` with a line for each restart of the history `log`, until `stop` is set."""
    told = 0
    starts = before = len(history.read_starts(log))
    while True:
        final = stop.is_set()
        for number, start in enumerate(history.read_starts(log)[starts:], starts):
            starts = number + 1
            # the first start of this call is nobody's death
            if say is not None and (start.before or number > before):
                died = "a worker died; " if number > before else ""
                say(f"{died}{start}")
        if watch is not None:
            for record in history.read(log)[told:]:
                watch(record)
                told += 1
        if final:
            return
        stop.wait(_POLL_S)
