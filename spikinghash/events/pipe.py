"""Talking to a child over its pipes: a deadline on every byte, and what it means when the child is gone."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from spikinghash.errors import BadRecording

#: Bytes that go through a pipe at once.
PIECE_BYTES = 1 << 20
#: How long it is looked at whether a late child computes, in seconds.
_LOOK_S = 0.25


class ChildFailed(Exception):
    """The child is of no more use; `reason` is one of `schema.REASONS`.

    `again`: perhaps the system did it and not the input, so that another try in a new child is worth its time.
    """

    def __init__(self, reason: str, message: str, *, again: bool = True) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again = again

    def give_up(self, tried: int) -> None:
        """Raise the refusal of the input unless another try is worth its time and none was made."""
        if tried or not self.again:
            raise BadRecording(self.reason, self.message) from None


@contextmanager
def timed(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """A block whose time-out is worth another try unless the child is computing: then it was paused, or waits for a
    machine that is busy with something else.
    """
    try:
        yield
    except ChildFailed as failed:
        if failed.reason == "timeout":
            failed.again = _cpu_share(child) < 0.5
        raise


def _cpu_share(child: subprocess.Popen[bytes]) -> float:
    """How much of a core a child uses at this moment; 0 if it is gone."""
    try:
        return float(psutil.Process(child.pid).cpu_percent(interval=_LOOK_S)) / 100
    except psutil.Error:
        return 0.0


def write_all(child: subprocess.Popen[bytes], data: bytes, until: float) -> None:
    """Send `data` before the time `until` of `time.monotonic`; raises `ChildFailed`."""
    handle = _fd(child.stdin)
    os.set_blocking(handle, False)
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(handle, view[:PIECE_BYTES]) :]
        except BlockingIOError:
            _wait(handle, select.POLLOUT, until)
        except BrokenPipeError:
            raise _gone(child) from None


def read_into(child: subprocess.Popen[bytes], target: Any, until: float) -> None:
    """Fill a writable buffer with what the child sends; raises `ChildFailed`."""
    view = memoryview(target).cast("B")
    handle = _fd(child.stdout)
    os.set_blocking(handle, False)
    while view:
        try:
            count = os.readv(handle, [view[:PIECE_BYTES]])
        except BlockingIOError:
            _wait(handle, select.POLLIN, until)
            continue
        if not count:
            raise _gone(child)
        view = view[count:]
        if view and time.monotonic() > until:
            raise _late()


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


def _wait(handle: int, what: int, until: float) -> None:
    poll = select.poll()
    poll.register(handle, what)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise _late()


def _late() -> ChildFailed:
    return ChildFailed("timeout", "reading took longer than allowed; the reading process was stopped")


def _gone(child: subprocess.Popen[bytes]) -> ChildFailed:
    code = child.wait()
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return ChildFailed("decoder-crash", f"the decoder ended with {how}")


def _fd(pipe: Any) -> int:
    return int(pipe.fileno())
