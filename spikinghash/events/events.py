"""The one currency of the event side: a recording's events as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Events:
    """Valid events of one recording: sorted by time, inside the sensor, arrays read-only.

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
