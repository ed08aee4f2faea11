"""Reading a recording that is needed twice: a short one is kept in memory, a long one will be read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from spikinghash.events.collect import Pass
from spikinghash.events.events import Blocks, Events, EventStream, Facts

#: At most so many events lie in memory between two passes, 13 bytes each.
HELD_EVENTS = 8_000_000


@dataclass(frozen=True)
class Held:
    """An `EventStream` of blocks in memory."""

    parts: list[Events]
    facts: Facts

    def blocks(self) -> Blocks:
        """As `EventStream.blocks`."""
        yield from self.parts
        return self.facts


def hold(stream: EventStream, watchers: Sequence[Callable[[NDArray[Any]], None]]) -> tuple[EventStream, Facts]:
    """Read a recording once, giving the times [N] of each block to all watchers; what to read it again from.

    Raises `BadRecording` as a pass does.
    """
    kept: list[Events] = []
    count, blocks = 0, Pass(stream.blocks())
    for block in blocks:
        for watch in watchers:
            watch(block.t)
        count += block.count
        if count <= HELD_EVENTS:
            kept.append(block)
        else:
            kept.clear()
    return (Held(kept, blocks.facts) if count <= HELD_EVENTS else stream), blocks.facts
