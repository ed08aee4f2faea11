"""Memory and processor time of this process and its children while a job runs."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil


def resident_bytes() -> int:
    """Resident memory of this process and all below it."""
    total, own = 0, psutil.Process()
    for process in (own, *own.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    return total


def processor_seconds() -> float:
    """Time that this process and all below it have computed, which other work on the machine hardly changes."""
    total, own = 0.0, psutil.Process()
    for process in (own, *own.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:2])
        except psutil.Error:  # it has just ended
            continue
    return total


class PeakMemory:
    """A block whose largest resident memory above that at its beginning is `above`, in bytes, looked at ten times/s."""

    def __enter__(self) -> PeakMemory:
        self.idle = self.peak = resident_bytes()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.done.set()
        self.thread.join()

    @property
    def above(self) -> int:
        """Bytes above idle."""
        return self.peak - self.idle

    def _watch(self) -> None:
        while not self.done.wait(0.1):
            self.peak = max(self.peak, resident_bytes())
