"""The account of a recording cut into clips: what no clip holds, and what several clips hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikinghash.frames.windows import Cut, Ranges


@dataclass(frozen=True)
class Coverage:
    """Events of one recording outside its clips by reason, repeats within them, windows left out by reason.

    Law: `events + repeated == events of all clips + sum(dropped.values())`: an event that lies in three overlapping
    clips is given to framing three times, so it is repeated twice; an event in no clip is dropped once.
    """

    dropped: dict[str, int]
    repeated: int
    left_out: dict[str, int]


def cover(events: int, cuts: Iterable[Cut]) -> Coverage:
    """Account for `events` events under all cuts of their recording.

    An event in no clip is dropped for the reason of the window that would have held it, `partial-window` before
    `few-events`, and as `outside-window` where there was none.
    """
    cuts = list(cuts)
    kept = [[window.first, window.stop] for one in cuts for window in one.kept]
    ranges = np.array(kept, dtype=np.int64).reshape(-1, 2)
    taken = _inside(events, ranges)
    repeated = int((ranges[:, 1] - ranges[:, 0]).sum()) - int(taken.sum())
    dropped, left_out = {}, {}
    for reason in ("partial-window", "few-events"):
        some = [one.left_out[reason] for one in cuts if reason in one.left_out]
        if some:
            without = np.concatenate(some)
            left_out[reason] = len(without)
            new = _inside(events, without) & ~taken
            dropped[reason] = int(new.sum())
            taken |= new
    dropped["outside-window"] = events - int(taken.sum())
    return Coverage({reason: count for reason, count in dropped.items() if count}, repeated, left_out)


def _inside(events: int, ranges: Ranges) -> NDArray[np.bool_]:
    """Which of the events lie in at least one range."""
    depth = np.zeros(events + 1, dtype=np.int64)
    np.add.at(depth, ranges[:, 0], 1)
    np.subtract.at(depth, ranges[:, 1], 1)
    return np.asarray(np.cumsum(depth)[:-1] > 0)
