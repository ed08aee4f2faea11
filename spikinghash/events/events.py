"""The one currency of the event side: events as columns, of a whole recording or of a block of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Facts:
    """What is known of a recording when all of it was read; see `Events` for the words.

    `whole_ms`: all of its times are multiples of 1000 us.
    """

    count: int
    t_first_us: int
    t_last_us: int
    width: int
    height: int
    format: str
    dropped: Mapping[str, int] = field(default_factory=dict)
    reordered: int = 0
    whole_ms: bool = False


@dataclass(frozen=True, eq=False)
class Events:
    """Valid events of one recording: sorted by time, inside the sensor, arrays read-only.

    A block of a recording is one as well, without `dropped` and `reordered`, which only the whole has.

    `t` is in microseconds exactly as in the file and need not start at 0. `p` is 1 for ON (brighter), 0 for OFF.
    `dropped` counts the events of the file that are not here, by reason; `reordered` counts backward time steps
    that were repaired. Build one with `validate`, which checks all of this.
    """

    t: NDArray[np.int64]
    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    p: NDArray[np.uint8]
    width: int
    height: int
    format: str
    dropped: Mapping[str, int] = field(default_factory=dict)
    reordered: int = 0

    @property
    def count(self) -> int:
        """Number of events."""
        return int(self.t.size)

    @property
    def t_first_us(self) -> int:
        """Time of the first event in microseconds."""
        return int(self.t[0])

    @property
    def t_last_us(self) -> int:
        """Time of the last event in microseconds."""
        return int(self.t[-1])

    @property
    def on(self) -> int:
        """Number of ON events."""
        return int(np.count_nonzero(self.p))

    @property
    def off(self) -> int:
        """Number of OFF events."""
        return self.count - self.on

    @property
    def facts(self) -> Facts:
        """What a pass over these events ends with."""
        return Facts(
            self.count, self.t_first_us, self.t_last_us, self.width, self.height, self.format,
            dict(self.dropped), self.reordered, are_whole_ms(self.t),
        )  # fmt: skip

    def blocks(self) -> Blocks:
        """A pass over all of them in one block: a recording in memory is an `EventStream`, too."""
        yield self
        return self.facts

    def summary(self) -> dict[str, Any]:
        """Plain numbers that describe the recording, as `spikinghash inspect` prints them."""
        return {
            "format": self.format,
            "width": self.width,
            "height": self.height,
            "events": self.count,
            "t_first_us": self.t_first_us,
            "t_last_us": self.t_last_us,
            "on": self.on,
            "off": self.off,
            "sum_x": int(self.x.sum(dtype=np.int64)),
            "sum_y": int(self.y.sum(dtype=np.int64)),
            "dropped": dict(self.dropped),
        }


#: One pass over a recording: its events in blocks of bounded size, in order of time, and at the end the facts.
Blocks = Generator[Events, None, Facts]


class EventStream(Protocol):
    """A recording that is read in blocks, as often as somebody asks."""

    def blocks(self) -> Blocks:
        """A pass; raises `BadRecording` where it meets what is wrong, and what counts over all of it at the end.

        What was yielded before is then good for nothing.
        """
        ...


def are_whole_ms(t: NDArray[np.int64]) -> bool:
    """Whether all times [N] are multiples of 1000."""
    # nearly always the first ones say no
    return not (t[:1000] % 1000).any() and not (t % 1000).any()
