"""Progress bars with rate and ETA, on stderr, so that stdout stays clean for results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

#: Without a terminal (logs, CI) one line this often.
_LOG_EVERY_S = 10.0


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.1f}/s")


@contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Yield `update(done, total)`. On a terminal a bar; elsewhere a line every ten seconds; nothing if `quiet`."""
    console = Console(stderr=True)
    if quiet:
        yield lambda done, total: None
        return
    if not console.is_terminal:
        yield _line_writer(console, what)
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), _Rate(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _line_writer(console: Console, what: str) -> Callable[[int, int], None]:
    started = last = time.monotonic()

    def update(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done < total and now - last < _LOG_EVERY_S:
            return
        last = now
        rate = done / max(now - started, 1e-9)
        console.print(f"{what}: {done}/{total}, {rate:,.1f}/s, {(total - done) / max(rate, 1e-9):.0f} s left")

    return update
