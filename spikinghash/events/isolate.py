"""Decoding in a child process with limits on time and memory, so that one hostile file costs one refusal."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

import numpy as np

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.events import Events
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.source import Source
from spikinghash.isolation import NEUTRAL_FOLDER, isolated_command

WORKER = isolated_command("spikinghash.events.decode_worker")
_RAW = (("t", np.int64), ("x", np.uint16), ("y", np.uint16), ("p", np.uint8))
_LONGEST_FACTS = 1 << 16
_EVENT_BYTES = sum(np.dtype(kind).itemsize for _, kind in _RAW)


@dataclass(frozen=True)
class Limits:
    """What reading one file may cost.

    `seconds` plus `seconds_per_mb`, `memory_bytes` plus `memory_per_byte` of the file, `start_seconds` for the child to
    begin, and never more than `max_events`. The bases are generous because the first file of a format may have its
    decoder compiled, which takes seconds and some 200 MB.
    """

    seconds: float = 30.0
    seconds_per_mb: float = 0.1
    memory_bytes: int = 512 << 20
    memory_per_byte: int = 48
    start_seconds: float = 60.0
    max_events: int = 2_000_000_000


class IsolatedDecoder:
    """A decoder with the signature of `reader.decode`; use it in a `with` block. Not for several threads at once.

    The child is started at first use and again after it died or was stopped. Extra reasons it refuses by:
    "timeout", "memory", "decoder-crash".
    """

    def __init__(self, limits: Limits = Limits(), command: Sequence[str] = WORKER) -> None:
        self.limits = limits
        self.command = tuple(command)
        self._child: subprocess.Popen[bytes] | None = None
        self._fresh = False

    def __enter__(self) -> IsolatedDecoder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Start the child now instead of at the first file: it takes a second, in which others can import theirs."""
        self._running()

    def close(self) -> None:
        """Stop the child."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def decode(
        self,
        source: Source,
        *,
        format: str | None = None,
        sensor: tuple[int, int] | None = None,
        options: ReadOptions = DEFAULTS,
    ) -> Events:
        """As `reader.decode`, in the child."""
        size = len(source.data)
        memory = self.limits.memory_bytes + self.limits.memory_per_byte * size
        request = {"bytes": size, "name": source.path.name, "format": format, "sensor": sensor}
        request |= {"options": asdict(options), "limit_bytes": memory}
        allowed = self.limits.seconds + self.limits.seconds_per_mb * size / 1e6
        child = self._running()
        until = time.monotonic() + allowed + (self.limits.start_seconds if self._fresh else 0.0)
        try:
            self._write(child, json.dumps(request).encode() + b"\n" + source.data, until)
            facts = self._read_facts(child, until)
            self._fresh = False
            if "reason" in facts:
                raise BadRecording(facts["reason"], facts["message"], facts["offset"])
            if "config" in facts:
                raise ConfigError(facts["config"])
            return self._read_events(child, facts, until)
        except _Stopped as stopped:
            self.close()
            raise BadRecording(stopped.reason, stopped.message) from None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                cwd=NEUTRAL_FOLDER,
            )  # fmt: skip
            self._fresh = True
        return self._child

    def _write(self, child: subprocess.Popen[bytes], data: bytes, until: float) -> None:
        handle = _fd(child.stdin)
        os.set_blocking(handle, False)
        view = memoryview(data)
        while view:
            _wait(child, handle, selectors.EVENT_WRITE, until)
            try:
                view = view[os.write(handle, view[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise _crashed(child) from None

    def _read_facts(self, child: subprocess.Popen[bytes], until: float) -> dict[str, Any]:
        length = int.from_bytes(self._read(child, 4, until), "little")
        if length > _LONGEST_FACTS:
            raise _Stopped("decoder-crash", "the decoder answered nonsense")
        try:
            facts: dict[str, Any] = json.loads(self._read(child, length, until))
        except ValueError:
            raise _Stopped("decoder-crash", "the decoder answered nonsense") from None
        return facts

    def _read_events(self, child: subprocess.Popen[bytes], facts: dict[str, Any], until: float) -> Events:
        count = facts["events"]
        if not 0 <= count <= self.limits.max_events:
            raise _Stopped("expansion", f"{count} events are more than the limit of {self.limits.max_events}")
        raw = self._read(child, count * _EVENT_BYTES, until)
        columns: dict[str, np.ndarray] = {}
        at = 0
        for name, kind in _RAW:
            columns[name] = np.frombuffer(raw, kind, count, at)
            at += count * np.dtype(kind).itemsize
        return Events(
            t=columns["t"], x=columns["x"], y=columns["y"], p=columns["p"],
            width=facts["width"], height=facts["height"], format=facts["format"],
            dropped=facts["dropped"], reordered=facts["reordered"],
        )  # fmt: skip

    def _read(self, child: subprocess.Popen[bytes], count: int, until: float) -> bytes:
        handle = _fd(child.stdout)
        parts: list[bytes] = []
        while count:
            _wait(child, handle, selectors.EVENT_READ, until)
            part = os.read(handle, min(count, 1 << 20))
            if not part:
                raise _crashed(child)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


class _Stopped(Exception):
    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def _fd(pipe: Any) -> int:
    return int(pipe.fileno())


def _wait(child: subprocess.Popen[bytes], handle: int, what: int, until: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(handle, what)
        if not selector.select(max(0.0, until - time.monotonic())):
            raise _Stopped("timeout", "decoding took longer than allowed; the decoder was stopped")


def _crashed(child: subprocess.Popen[bytes]) -> _Stopped:
    code = child.wait()
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return _Stopped("decoder-crash", f"the decoder ended with {how}")
