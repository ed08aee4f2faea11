"""Decoding in a child process with limits on time and memory, so that one hostile file costs one refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from types import TracebackType
from typing import Any

import numpy as np

from spikinghash.errors import BadRecording
from spikinghash.events.collect import Pass, collect
from spikinghash.events.events import Blocks, Events, EventStream, Facts
from spikinghash.events.isolated_child import Fill, IsolatedChild, Limits
from spikinghash.events.machine_memory import reading_bytes
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.pipe import ChildFailed
from spikinghash.events.source import Source
from spikinghash.isolation import isolated_command

__all__ = ["WORKER", "IsolatedDecoder", "Limits"]

WORKER = isolated_command("spikinghash.events.decode_worker")
_RAW = (("t", np.int64), ("x", np.uint16), ("y", np.uint16), ("p", np.uint8))
_LIMITS = Limits()
_EVENT_BYTES = sum(np.dtype(kind).itemsize for _, kind in _RAW)
#: The densest encoding has 12 events in 2 bytes, and up to 16 million may have waited for this block.
_MOST_IN_A_BLOCK = 32_000_000


class IsolatedDecoder:
    """A decoder with the signatures of `reader.decode` and `reader.stream`, to be used in a `with` block.

    Not for several threads at once.

    The child is started at first use and again after it died or was stopped. Extra reasons it refuses by:
    "timeout", "memory", "decoder-crash", each after a second try where the system may be to blame.
    """

    def __init__(self, limits: Limits = _LIMITS, command: Sequence[str] = WORKER) -> None:
        self.limits = limits
        self.child = IsolatedChild(command, limits)

    def __enter__(self) -> IsolatedDecoder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Start the child now instead of at the first file: it takes a second, in which others can import theirs."""
        self.child.start()

    def close(self) -> None:
        """Stop the child."""
        self.child.close()

    def decode(
        self,
        source: Source,
        *,
        format: str | None = None,
        sensor: tuple[int, int] | None = None,
        options: ReadOptions = DEFAULTS,
    ) -> Events:
        """As `reader.decode`, in the child."""
        recording = self.stream(source, format=format, sensor=sensor, options=options)
        return collect(_in_memory(recording.blocks(), source.size, self.limits.max_events))

    def stream(
        self,
        source: Source,
        *,
        format: str | None = None,
        sensor: tuple[int, int] | None = None,
        options: ReadOptions = DEFAULTS,
    ) -> EventStream:
        """As `reader.stream`, in the child; one pass at a time, and all that is refused comes with a pass."""
        request = {"name": source.path.name, "format": format, "sensor": sensor, "options": asdict(options)}
        return _Isolated(self.child, source, request)


@dataclass(frozen=True)
class _Isolated:
    """An `EventStream` that comes out of a child."""

    child: IsolatedChild
    source: Source
    request: dict[str, Any]

    def blocks(self) -> Blocks:
        """As `EventStream.blocks`; where the child fails once, another one goes on from the same event."""
        request, given = self.request | self._allowance(), 0
        for tried in range(2):
            skip = given
            try:
                for facts, fill in self.child.answers(request, self.source.content):
                    if "facts" in facts:
                        return Facts(**facts["facts"])
                    block = _block(facts, fill)
                    rest = block if skip == 0 else _without_first(block, skip)
                    skip -= block.count - rest.count
                    given += rest.count
                    if rest.count:
                        yield rest
            except ChildFailed as failed:
                failed.give_up(tried)
        raise AssertionError("a child answers or fails")

    def _allowance(self) -> dict[str, Any]:
        limits, size = self.child.limits, self.source.size
        memory: dict[str, Any] = {"limit_bytes": self.child.allowance(0, None, 0), "too_large": None}
        try:
            whole = self.child.allowance(size, self.source.stored_bytes, limits.memory_per_byte)
        except BadRecording as error:
            return memory | {"too_large": error.message}
        return memory | {"whole_limit_bytes": whole}


def _block(facts: dict[str, Any], fill: Fill) -> Events:
    count = facts["events"]
    if not 0 < count <= _MOST_IN_A_BLOCK:
        raise ChildFailed("decoder-crash", "the decoder answered nonsense")
    columns = [np.empty(count, kind) for _, kind in _RAW]
    for column in columns:
        fill(column)
        column.flags.writeable = False
    t, x, y, p = columns
    return Events(t, x, y, p, width=facts["width"], height=facts["height"], format=facts["format"])


def _without_first(block: Events, count: int) -> Events:
    rest = slice(count, None)
    return replace(block, t=block.t[rest], x=block.x[rest], y=block.y[rest], p=block.p[rest])


def _in_memory(blocks: Blocks, size: int, most: int) -> Blocks:
    """The same pass over a content of `size` bytes, refused where it is too large to be held."""
    count, read = 0, Pass(blocks)
    for block in read:
        count += block.count
        # while they come over, content and events are there and here
        if count > most or 2 * (size + count * _EVENT_BYTES) > reading_bytes():
            blocks.close()
            raise BadRecording("memory", f"over {count} events are more than this machine's memory allows at once")
        yield block
    return read.facts
