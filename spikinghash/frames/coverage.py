"""The account of a recording cut into clips: what no clip holds, and what several clips hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

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
    taken = _inside(ranges)
    repeated = int((ranges[:, 1] - ranges[:, 0]).sum()) - taken
    dropped, left_out = {}, {}
    for reason in ("partial-window", "few-events"):
        some = [one.left_out[reason] for one in cuts if reason in one.left_out]
        if some:
            without = np.concatenate(some)
            left_out[reason] = len(without)
            ranges = np.concatenate([ranges, without])
            before, taken = taken, _inside(ranges)
            dropped[reason] = taken - before
    dropped["outside-window"] = events - taken
    return Coverage({reason: count for reason, count in dropped.items() if count}, repeated, left_out)


def _inside(ranges: Ranges) -> int:
    """How many events lie in at least one range."""
    if not len(ranges):
        return 0
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    # where each range goes beyond all that begin before it
    reached = np.maximum.accumulate(np.concatenate([[0], ranges[:-1, 1]]))
    return int(np.maximum(ranges[:, 1] - np.maximum(ranges[:, 0], reached), 0).sum())
