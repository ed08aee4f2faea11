"""A child process that answers one question after another under limits, and is replaced when it fails."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.answering import READY
from spikinghash.events.content import BLOCK_BYTES, Content, HeldContent, pieces
from spikinghash.events.machine_memory import reading_bytes
from spikinghash.events.pipe import ChildFailed, read_exactly, read_into, stop_child, timed, write_all
from spikinghash.isolation import NEUTRAL_FOLDER

T = TypeVar("T")
Facts = dict[str, Any]
#: Fills a buffer with what the child sends next.
Fill = Callable[[Any], None]

_LONGEST_FACTS = 1 << 16
_NONSENSE = "the decoder answered nonsense"
#: What is sent with its request; of more the child asks for what it needs.
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

    `seconds` plus `seconds_per_mb`, `memory_bytes` plus `memory_per_byte` of a file that is not read in parts,
    `start_seconds` for the child to begin, and never more than a share of the machine's memory (`machine_memory`), nor
    than `max_events` in memory. The bases are generous because the first file of a format may have its decoder
    compiled, which takes seconds and some 200 MB.
    """

    seconds: float = 30.0
    seconds_per_mb: float = 0.1
    memory_bytes: int = 512 << 20
    memory_per_byte: int = 48
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

    def ask(self, request: Facts, data: bytes, take: Callable[[Facts, Fill], T]) -> T:
        """Send `data` with `request` and give `take` the facts of the one answer and the way to what follows them.

        Raises `BadRecording` with the child's reason or timeout, memory, decoder-crash; `ConfigError`.
        """
        request = request | {"limit_bytes": self.allowance(len(data), None, self.limits.memory_per_byte)}
        for tried in range(2):
            try:
                for facts, fill in self.answers(request, HeldContent(data)):
                    return take(facts, fill)
            except ChildFailed as failed:
                failed.give_up(tried)
        raise AssertionError("a child answers or fails")

    def allowance(self, size: int, stored: int | None, per_byte: int) -> int:
        """Bytes of memory for an input of `size` bytes, `stored` of them in storage (None: all), that is read whole.

        Raises `BadRecording("memory")` for one that is too large.
        """
        # the content may lie here and in the child, and what comes out of it will lie here too
        room = int((reading_bytes() - 2 * size) * _CHILDS_SHARE)
        if room < size:
            raise BadRecording("memory", f"{size} bytes are more than this machine's memory allows for one recording")
        counted = size if stored is None else min(size, _MOST_EXPANSION * stored)
        least = min(self.limits.memory_bytes, _LEAST_BYTES)
        return max(least, min(self.limits.memory_bytes + per_byte * counted, room))

    def answers(self, request: Facts, content: Content) -> Iterator[tuple[Facts, Fill]]:
        """Each answer to a request up to the `last`: its facts and the way to what follows them, to be gone at once.

        The child is stopped when it fails, when the content cannot be read, and when nobody wants its next answer.
        Only time that is spent waiting for it counts. Raises `ChildFailed`, `BadRecording`, `ConfigError`.
        """
        inline = content.size if content.size <= _SMALL_BYTES else 0
        request = request | {"size": content.size, "bytes": inline}
        child, fresh, done = self._ready(), self.answered == 0, False
        talk = _Talk(child, content, self.limits.seconds + self.limits.seconds_per_mb * content.size / 1e6)
        try:
            talk.send(json.dumps(request).encode() + b"\n" + content.read(0, inline))
            while not done:
                facts = talk.facts()
                self.answered += 1
                if facts.get("reason") == "memory" and not fresh:
                    raise ChildFailed("memory", facts["message"])
                done = not {"reason", "config", "last"}.isdisjoint(facts)
                if "reason" in facts:
                    raise BadRecording(facts["reason"], facts["message"], facts["offset"])
                if "config" in facts:
                    raise ConfigError(facts["config"])
                yield facts, talk.fill
        finally:
            if not done or talk.failed or content.size + talk.received > _MUCH_BYTES:
                self.close()

    def _ready(self) -> subprocess.Popen[bytes]:
        child = self.start()
        if not self.begun:
            read_exactly(child, len(READY), time.monotonic() + self.limits.start_seconds)
            self.begun = True
        return child


class _Talk:
    """One request's bytes to and from a child, which may take so many `seconds` of waiting in all."""

    def __init__(self, child: subprocess.Popen[bytes], content: Content, seconds: float) -> None:
        self.child, self.content, self.left = child, content, seconds
        self.received = 0
        self.failed = False

    @contextmanager
    def _waiting(self) -> Iterator[float]:
        """A block in which the time runs; until when it does."""
        started = time.monotonic()
        try:
            with timed(self.child):
                yield started + self.left
        except ChildFailed:
            self.failed = True
            raise
        finally:
            self.left -= time.monotonic() - started

    def send(self, data: bytes) -> None:
        """All of it to the child."""
        with self._waiting() as until:
            write_all(self.child, data, until)

    def fill(self, target: Any) -> None:
        """Fill a buffer with what the child sends."""
        self.received += memoryview(target).nbytes
        with self._waiting() as until:
            read_into(self.child, target, until)

    def facts(self) -> Facts:
        """What the child says next, when it has got what it asks for of the content."""
        while True:
            with self._waiting() as until:
                length = int.from_bytes(read_exactly(self.child, 4, until), "little")
                if length > _LONGEST_FACTS:
                    raise ChildFailed("decoder-crash", _NONSENSE)
                said = read_exactly(self.child, length, until)
            try:
                facts: Facts = json.loads(said)
                if "read" not in facts:
                    return facts
                start, stop = facts["read"]
                asked = pieces(self.content, BLOCK_BYTES, int(start), min(int(stop), self.content.size))
            except (ValueError, TypeError):
                raise ChildFailed("decoder-crash", _NONSENSE) from None
            for piece in asked:
                self.send(piece)
