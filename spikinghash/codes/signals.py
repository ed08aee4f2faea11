"""Stopping a long job cleanly on SIGTERM and Ctrl-C: what is done is committed, the rest is left for the next run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """The job was asked to stop. No `Exception`: code that survives any error must not survive this."""


class Stop:
    """Whether a job was asked to stop.

    A signal sets `asked` and nothing more, except inside `interruptible`, which it ends at once: work that is allowed
    to be lost, such as decoding, may take longer than a stop is allowed to.
    """

    def __init__(self) -> None:
        self.asked = False
        self._inside = False
        self._leave: Callable[[], NoReturn] | None = None

    def check(self) -> None:
        """Raise `Stopped` if the job was asked to stop."""
        if self.asked:
            raise Stopped

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A block that a signal ends with `Stopped`."""
        self._inside = True
        try:
            self.check()
            yield
        finally:
            self._inside = False

    @contextmanager
    def leaving(self, leave: Callable[[], NoReturn]) -> Iterator[None]:
        """A block during which a signal calls `leave` and nothing else runs: for imports, which may eat exceptions."""
        self._leave = leave
        try:
            yield
        finally:
            self._leave = None
            self.check()

    def ask(self, *_: object) -> None:
        """Ask the job to stop; the handler of signals. Asking again changes nothing: `timeout` does it twice."""
        if not self.asked:
            self.asked = True
            if self._leave is not None:
                self._leave()
            if self._inside:
                raise Stopped


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Yield a `Stop` that SIGTERM and SIGINT ask; afterwards they do what they did before.

    Outside the main thread nobody can take signals, and the `Stop` is asked by nobody.
    """
    stop = Stop()
    with handlers_restored():
        if _in_main_thread():
            for number in SIGNALS:
                signal.signal(number, stop.ask)
        yield stop


@contextmanager
def keep_signals(stop: Stop) -> Iterator[None]:
    """A block in which a library takes the signals for itself and ends the program on them, as Ray does in `init`."""
    with handlers_restored():
        try:
            with stop.interruptible():
                yield
        except SystemExit:
            stop.asked = True
            raise Stopped from None


@contextmanager
def handlers_restored() -> Iterator[None]:
    """A block after which the signals do what they did before it."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        if _in_main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
