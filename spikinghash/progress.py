"""Progress bars with rate and ETA, on stderr, so that stdout stays clean for results."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class Update(Protocol):
    """How a job says how far it is."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        """`total` is None while it is not known, `note` what else there is to say."""


#: Without a terminal (logs, CI) one line this often, and one at the end.
_LOG_EVERY_S = 10.0


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.1f}/s")


@contextmanager
def progress_bar(what: str) -> Iterator[Update]:
    """Yield `update`. On a terminal a bar; elsewhere a line every ten seconds and one at the end."""
    console = Console(stderr=True)
    if not console.is_terminal:
        lines = _Lines(console, what)
        yield lines.update
        lines.finish()
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), _Rate(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=console) as bar:
        task = bar.add_task(what, total=None, note="")

        def update(done: int, total: int | None, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield update


class _Lines:
    """Progress for logs; starts counting at the first update, so that set-up does not distort the rate."""

    def __init__(self, console: Console, what: str) -> None:
        self.console = console
        self.what = what
        self.started = self.told = time.monotonic()
        self.first: int | None = None
        self.done = 0
        self.total: int | None = None

    def update(self, done: int, total: int | None, note: str = "") -> None:
        now = time.monotonic()
        if self.first is None:
            self.first, self.started = done, now
        self.done, self.total = done, total
        if now - self.told >= _LOG_EVERY_S:
            self.told = now
            rate = (done - self.first) / max(now - self.started, 1e-9)
            left = f", {(total - done) / rate:.0f} s left" if total is not None and rate > 0 else ""
            of = "" if total is None else f"/{total}"
            rest = f", {note}" if note else ""
            self.console.print(f"{self.what}: {done}{of}, {_per_time(rate)}{left}{rest}")

    def finish(self) -> None:
        if self.done:
            self.console.print(f"{self.what}: {self.done} done in {time.monotonic() - self.started:.1f} s")


def _per_time(rate: float) -> str:
    return f"{rate:,.1f}/s" if rate >= 1 else f"{rate * 60:,.1f}/min"
