"""Times that can hardly be what they are taken for: the usual sign of another unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spikinghash.events.events import Blocks, EventStream, Facts
from spikinghash.events.source import Source

#: A camera that sees anything gives thousands of events a second; its noise alone gives more than this.
SLOW_PER_S = 100
#: Shorter recordings may be so quiet.
SLOW_FROM_US = 2_000_000
#: So many events say something about their times; a recording of them is longer than this.
MANY, BRIEF_US = 200, 500
#: Cameras count from their start; later first times are counted from 1970.
EPOCH_US = 10**14
_HINT = "say the unit: --time-unit, or dataset.reading.time_unit"


def doubtful_times(events: Facts) -> list[str]:
    """Sentences about times that were probably read in the wrong unit; empty where nothing is odd."""
    found = []
    span_us = events.t_last_us - events.t_first_us
    if span_us > SLOW_FROM_US and events.count * 1e6 / span_us < SLOW_PER_S:
        found.append(
            f"{events.count} events in {span_us / 1e6:.0f} s are {events.count * 1e6 / span_us:.0f} a second, too few "
            f"for a camera: times may be in ns, or in ms as fractions; {_HINT}"
        )
    if not found and span_us > SLOW_FROM_US and events.count > MANY and events.whole_ms:
        found.append(f"all {events.count} times are multiples of 1000: they may be in ns; {_HINT}")
    if events.count > MANY and 0 < span_us < BRIEF_US:
        found.append(f"{events.count} events in {span_us} us: times may be in ms or s; {_HINT}")
    if abs(events.t_first_us) > EPOCH_US:
        found.append(
            f"the first event is at {events.t_first_us / 1e6:.0f} s: counted from 1970, or in another unit; {_HINT}"
        )
    return found


@dataclass
class Doubts:
    """What was odd about the times of several recordings: how many, and the first in words."""

    count: int = 0
    first: str = ""

    def watch(self, decode: Callable[..., EventStream]) -> Callable[..., EventStream]:
        """The same decoder, with its results looked at when they were read the first time."""

        def watched(source: Source, **options: Any) -> EventStream:
            return _Watched(decode(source, **options), lambda facts: self._look(source, facts))

        return watched

    def _look(self, source: Source, facts: Facts) -> None:
        found = doubtful_times(facts)
        if found:
            self.count += 1
            self.first = self.first or f"{source.path}: {found[0]}"

    def line(self) -> str | None:
        """One line for a person, None where nothing was odd."""
        more = f" ({self.count - 1} more)" if self.count > 1 else ""
        return f"doubtful times in {self.first}{more}" if self.count else None


class _Watched:
    """A stream of which `look` gets the facts, once."""

    def __init__(self, stream: EventStream, look: Callable[[Facts], None]) -> None:
        self.stream, self.look = stream, look
        self.looked = False

    def blocks(self) -> Blocks:
        """As `EventStream.blocks`."""
        facts = yield from self.stream.blocks()
        if not self.looked:
            self.looked = True
            self.look(facts)
        return facts
