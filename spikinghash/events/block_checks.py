"""The rules of `validate` over a recording that comes in blocks: what is found wrong, and what may be handed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events, Facts, are_whole_ms
from spikinghash.events.in_order import InOrder
from spikinghash.events.rules import MAX_LATE_US, Coordinates, Polarities, Times, check_columns, check_sensor

Column = NDArray[Any]


class BlockChecks:
    """Takes decoded columns of one recording, block after block, and gives events in order of time.

    An event may come `late_us` late, so as much of a block's end is handed on with the next one. What breaks a rule is
    refused by `finish`, when all of the recording was seen: rules are shares of all events. From where the order of
    times is lost nothing is handed on any more, for it would be refused.
    """

    def __init__(self, sensor: tuple[int, int], format: str, late_us: int = MAX_LATE_US) -> None:
        self.sensor, self.format = sensor, format
        self.times, self.coordinates, self.polarities = Times(), Coordinates(sensor), Polarities()
        self.order = InOrder(late_us)
        self.seen = self.count = 0
        self.first_us = self.last_us = 0
        self.whole_ms = True

    def add(self, t: Column, x: Column, y: Column, p: Column, *, last: bool, give_away: bool = False) -> Events:
        """The events that can be handed on now, maybe none; `last`: no block follows.

        Arguments as of `validate`. Raises `BadRecording`: dtype, count.
        """
        check_columns((t, x, y, p))
        t = np.asarray(t).astype(np.int64, copy=False)
        backward = self.times.add(t)
        bad = self.coordinates.add(x, y)
        on = self.polarities.add(p)
        self.seen += t.size
        if self.times.hopeless or self.coordinates.hopeless:
            return self._events(InOrder.nothing())
        copy = not give_away
        columns = (
            t.astype(np.int64, copy=copy), x.astype(np.uint16, copy=copy), y.astype(np.uint16, copy=copy), on,
        ) if bad is None else _without(bad, (t, x, y, on))  # fmt: skip
        until = None if last else self.times.latest
        found = self._events(self.order.add(columns, sorted_here=not backward, until=until))
        if found.count:
            self.first_us = found.t_first_us if not self.count else self.first_us
            self.last_us, self.count = found.t_last_us, self.count + found.count
            self.whole_ms = self.whole_ms and are_whole_ms(found.t)
        return found

    def finish(self, offset_of: Callable[[int], int] | None, skipped: Mapping[str, int]) -> Facts:
        """What all of it was; raises `BadRecording` as `validate`."""

        def refuse(reason: str, message: str, index: int) -> BadRecording:
            return BadRecording(reason, message, None if offset_of is None else offset_of(index))

        if not self.seen:
            raise BadRecording("no-events", "the file holds no events")
        width, height = check_sensor(self.sensor)
        self.times.finish(self.seen, refuse)
        dropped = {name: count for name, count in skipped.items() if count}
        dropped |= self.coordinates.finish(self.seen, refuse)
        self.polarities.finish(refuse)
        return Facts(
            self.count, self.first_us, self.last_us, width, height, self.format,
            dropped, self.times.backward, self.whole_ms,
        )  # fmt: skip

    def _events(self, columns: tuple[Column, Column, Column, Column]) -> Events:
        for column in columns:
            column.flags.writeable = False
        return Events(*columns, width=self.sensor[0], height=self.sensor[1], format=self.format)


def _without(bad: NDArray[np.bool_], columns: tuple[Column, ...]) -> tuple[Column, Column, Column, Column]:
    keep = np.flatnonzero(~bad)
    t, x, y, on = (column[keep] for column in columns)
    return t.astype(np.int64, copy=False), x.astype(np.uint16, copy=False), y.astype(np.uint16, copy=False), on
