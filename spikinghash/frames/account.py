"""The account of one clip: when it was, and what became of every event that fell into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class EventAccount:
    """`start_us` and `end_us` are inclusive. Law: `events_in == events_framed + sum(dropped.values())`."""

    start_us: int
    end_us: int
    events_in: int
    events_framed: int
    dropped: Mapping[str, int]

    @property
    def adds_up(self) -> bool:
        """Whether the law holds."""
        return self.events_in == self.events_framed + sum(self.dropped.values())
