"""A child process that answers one question after another under limits, and is replaced when it fails."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.answering import READY
from spikinghash.events.machine_memory import reading_bytes
from spikinghash.events.pipe import ChildFailed, read_exactly, read_into, stop_child, timed, write_all
from spikinghash.isolation import NEUTRAL_FOLDER

T = TypeVar("T")
Facts = dict[str, Any]
#: Fills a buffer with what the child sends next.
Fill = Callable[[Any], None]

_LONGEST_FACTS = 1 << 16
#: What is copied rather than sent apart from its request.
_SMALL_BYTES = 1 << 16
#: A child that handled so much is replaced, whatever it may still hold.
_MUCH_BYTES = 256 << 20
#: No content is taken for more than so many times its bytes in storage when its memory is measured out: what expands
#: further was made to.
_MOST_EXPANSION = 8
#: Of the memory for one recording; decoding takes about 18 bytes an event, and handing 13 of them over doubles those.
_CHILDS_SHARE = 0.7
#: However small the machine, starting and compiling a decoder takes so much.
_LEAST_BYTES = 256 << 20


@dataclass(frozen=True)
class Limits:
    """What reading one file may cost.

    `seconds` plus `seconds_per_mb`, `memory_bytes` plus `memory_per_byte` of the file, `start_seconds` for the child to
    begin, and never more than `max_events`, nor than a share of the machine's memory (`machine_memory`). Encodings with
    several events in a byte have `dense_per_byte`. The bases are generous because the first file of a format may have
    its decoder compiled, which takes seconds and some 200 MB.
    """

    seconds: float = 30.0
    seconds_per_mb: float = 0.1
    memory_bytes: int = 512 << 20
    memory_per_byte: int = 48
    dense_per_byte: int = 128
    start_seconds: float = 60.0
    max_events: int = 2_000_000_000


class IsolatedChild:
    """A child that runs `command`, whose main is `answering.serve`. Not for several threads at once.

    It is started at first use and again after it died or was stopped; what the system may have done to it is no fault
    of the file, which is then tried once more.
    """

    def __init__(self, command: Sequence[str], limits: Limits) -> None:
        self.command = tuple(command)
        self.limits = limits
        self.process: subprocess.Popen[bytes] | None = None
        self.begun = False
        self.answered = 0

    def start(self) -> subprocess.Popen[bytes]:
        """The running child."""
        if self.process is None:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                cwd=NEUTRAL_FOLDER,
            )  # fmt: skip
            self.begun, self.answered = False, 0
        return self.process

    def close(self) -> None:
        """Stop the child."""
        if self.process is not None:
            stop_child(self.process)
            self.process = None

    def ask(self, request: Facts, data: bytes, stored: int | None, take: Callable[[Facts, Fill], T]) -> T:
        """Send `data` with `request` and give `take` the facts of the answer and the way to what follows them.

        `stored` is how many bytes `data` takes up in storage, None for all. Raises `BadRecording` with the child's
        reason or timeout, memory, decoder-crash; `ConfigError`.
        """
        request = request | self._allowance(len(data), stored)
        try:
            return self._ask(request, data, take)
        except ChildFailed as failed:
            self.close()
            if not failed.again:
                raise BadRecording(failed.reason, failed.message) from None
        try:
            return self._ask(request, data, take)
        except ChildFailed as failed:
            self.close()
            raise BadRecording(failed.reason, failed.message) from None

    def _allowance(self, size: int, stored: int | None) -> Facts:
        # the content lies here and in the child, and what comes out of it will lie here too
        room = int((reading_bytes() - 2 * size) * _CHILDS_SHARE)
        if room < size:
            raise BadRecording("memory", f"{size} bytes are more than this machine's memory allows for one recording")
        counted = size if stored is None else min(size, _MOST_EXPANSION * stored)
        names = {"limit_bytes": self.limits.memory_per_byte, "dense_limit_bytes": self.limits.dense_per_byte}
        least = min(self.limits.memory_bytes, _LEAST_BYTES)
        return {"bytes": size} | {
            name: max(least, min(self.limits.memory_bytes + per_byte * counted, room))
            for name, per_byte in names.items()
        }

    def _ask(self, request: Facts, data: bytes, take: Callable[[Facts, Fill], T]) -> T:
        child, fresh = self._ready(), self.answered == 0
        allowed = self.limits.seconds + self.limits.seconds_per_mb * len(data) / 1e6
        until = time.monotonic() + allowed
        received = 0

        def fill(target: Any) -> None:
            nonlocal received
            received += memoryview(target).nbytes
            read_into(child, target, until)

        with timed(child):
            line = json.dumps(request).encode() + b"\n"
            for part in (line + data,) if len(data) < _SMALL_BYTES else (line, data):
                write_all(child, part, until)
            facts = self._facts(child, until)
            self.answered += 1
            if facts.get("reason") == "memory" and not fresh:
                raise ChildFailed("memory", facts["message"])
            if "reason" in facts:
                raise BadRecording(facts["reason"], facts["message"], facts["offset"])
            if "config" in facts:
                raise ConfigError(facts["config"])
            result = take(facts, fill)
        if len(data) + received > _MUCH_BYTES:
            self.close()
        return result

    def _ready(self) -> subprocess.Popen[bytes]:
        child = self.start()
        if not self.begun:
            read_exactly(child, len(READY), time.monotonic() + self.limits.start_seconds)
            self.begun = True
        return child

    @staticmethod
    def _facts(child: subprocess.Popen[bytes], until: float) -> Facts:
        length = int.from_bytes(read_exactly(child, 4, until), "little")
        if length > _LONGEST_FACTS:
            raise ChildFailed("decoder-crash", "the decoder answered nonsense")
        try:
            facts: Facts = json.loads(read_exactly(child, length, until))
        except ValueError:
            raise ChildFailed("decoder-crash", "the decoder answered nonsense") from None
        return facts
