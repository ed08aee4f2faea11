"""Talking to a child over its pipes: a deadline on every byte, and what it means when the child is gone."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

#: Bytes that go through a pipe at once.
PIECE_BYTES = 1 << 20


class ChildFailed(Exception):
    """The child is of no more use; `reason` is one of `schema.REASONS`.

    `again`: perhaps the system did it and not the input, so that another try in a new child is worth its time.
    """

    def __init__(self, reason: str, message: str, *, again: bool = True) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again = again


def cpu_s(child: subprocess.Popen[bytes]) -> float:
    """Seconds that a child has computed so far; 0 if it is gone."""
    try:
        times = psutil.Process(child.pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


@contextmanager
def timed(child: subprocess.Popen[bytes], allowed_s: float) -> Iterator[None]:
    """A block whose time-out is worth another try where the child computed for less than half of `allowed_s`: then it
    was paused, or the machine was busy with something else.
    """
    before = cpu_s(child)
    try:
        yield
    except ChildFailed as failed:
        if failed.reason == "timeout":
            failed.again = cpu_s(child) - before < allowed_s / 2
        raise


def write_all(child: subprocess.Popen[bytes], data: bytes, until: float) -> None:
    """Send `data` before the time `until` of `time.monotonic`; raises `ChildFailed`."""
    handle = _fd(child.stdin)
    os.set_blocking(handle, False)
    view = memoryview(data)
    with _ready(handle, selectors.EVENT_WRITE) as wait:
        while view:
            wait(until)
            try:
                view = view[os.write(handle, view[:PIECE_BYTES]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise _gone(child) from None


def read_into(child: subprocess.Popen[bytes], target: Any, until: float) -> None:
    """Fill a writable buffer with what the child sends; raises `ChildFailed`."""
    view = memoryview(target).cast("B")
    handle = _fd(child.stdout)
    with _ready(handle, selectors.EVENT_READ) as wait:
        while view:
            wait(until)
            count = os.readv(handle, [view[:PIECE_BYTES]])
            if not count:
                raise _gone(child)
            view = view[count:]


def read_exactly(child: subprocess.Popen[bytes], count: int, until: float) -> bytes:
    """`count` bytes of what the child sends; raises `ChildFailed`."""
    data = bytearray(count)
    if count:
        read_into(child, data, until)
    return bytes(data)


def stop_child(child: subprocess.Popen[bytes]) -> None:
    """End it, whatever it does, and close its pipes."""
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()


@contextmanager
def _ready(handle: int, what: int) -> Iterator[Any]:
    with selectors.DefaultSelector() as selector:
        selector.register(handle, what)

        def wait(until: float) -> None:
            if not selector.select(max(0.0, until - time.monotonic())):
                raise ChildFailed("timeout", "reading took longer than allowed; the reading process was stopped")

        yield wait


def _gone(child: subprocess.Popen[bytes]) -> ChildFailed:
    code = child.wait()
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return ChildFailed("decoder-crash", f"the decoder ended with {how}")


def _fd(pipe: Any) -> int:
    return int(pipe.fileno())
