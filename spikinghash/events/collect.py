"""A pass over a recording as one value, for who wants all of its events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from spikinghash.events.content import Content, HeldContent
from spikinghash.events.events import Blocks, Events, Facts
from spikinghash.events.options import ReadOptions

#: Reads a content in blocks of about so many bytes.
Stream = Callable[[Content, ReadOptions, int], Blocks]


class Pass:
    """Iterates over the blocks of a pass; `facts` are there when it has ended."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks
        self.facts: Facts

    def __iter__(self) -> Iterator[Events]:
        self.facts = yield from self.blocks


def collect(blocks: Blocks) -> Events:
    """All events of a pass; raises `BadRecording` as the pass does."""
    parts = list(whole := Pass(blocks))
    facts = whole.facts
    events = parts[0]
    if len(parts) > 1:
        t, x, y, p = (np.concatenate([getattr(part, name) for part in parts]) for name in "txyp")
        for column in (t, x, y, p):
            column.flags.writeable = False
        events = Events(t, x, y, p, width=facts.width, height=facts.height, format=facts.format)
    return replace(events, dropped=facts.dropped, reordered=facts.reordered)


def facts_of(blocks: Blocks) -> Facts:
    """What a pass ends with."""
    whole = Pass(blocks)
    deque(whole, maxlen=0)
    return whole.facts


def in_one_block(stream: Stream, data: bytes, options: ReadOptions) -> Events:
    """What a reader in blocks makes of the whole content of a file at once, which spares putting blocks together."""
    return collect(stream(HeldContent(data), options, max(len(data), 1)))


def in_parts(events: Events, block: int) -> Blocks:
    """A pass over events in memory, `block` of them at a time."""
    if events.count <= block:
        return (yield from events.blocks())
    for lo in range(0, events.count, block):
        part = slice(lo, lo + block)
        columns = events.t[part], events.x[part], events.y[part], events.p[part]
        yield Events(*columns, width=events.width, height=events.height, format=events.format)
    return events.facts
