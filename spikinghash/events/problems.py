"""What a person should know about a recording before trusting it."""

from __future__ import annotations

import numpy as np

from spikinghash.events.doubts import doubtful_times
from spikinghash.events.events import Events
from spikinghash.events.validate import SKIPPED

#: Above this many events a second a sensor's read-out is saturated (Prophesee and iniVation give 1e7 to 1e9).
SATURATED_PER_S = 1e9
#: One pixel with more than this share of all events is hot.
HOT_SHARE = 0.01
#: Silences longer than this deserve a look.
GAP_US = 1_000_000
#: Where no sensor size is stated, coordinates of at most this share of the events that make it so many times larger.
STRAY_SHARE, STRAY_TIMES = 0.001, 2
#: Polarities this uneven suggest a wrong polarity bit or bias.
UNEVEN_SHARE = 0.98


def problems(events: Events) -> list[str]:
    """Plain sentences about what is odd; empty for a recording without oddities."""
    # words that are no events (IMU, triggers) are counted, but nothing is wrong with them
    lost = {reason: count for reason, count in sorted(events.dropped.items()) if count and reason not in SKIPPED}
    found = [f"{count} events dropped: {reason}" for reason, count in lost.items()]
    if events.reordered:
        found.append(f"{events.reordered} events stood out of order and were sorted")
    span_us = events.t_last_us - events.t_first_us
    if span_us == 0 and events.count > 1:
        found.append("all events have the same time")
    elif span_us and events.count * 1e6 / span_us > SATURATED_PER_S:
        found.append(f"{events.count * 1e6 / span_us:.2e} events per second: the sensor's read-out was saturated")
    found += doubtful_times(events.facts)
    gap = int(np.diff(events.t).max(initial=0))
    if gap > GAP_US:
        found.append(f"a silence of {gap / 1e6:.1f} s between two events")
    pixel = events.y.astype(np.int64) * events.width + events.x
    busiest = np.bincount(pixel, minlength=1)
    share = busiest.max() / events.count
    if events.count > 1000 and share > HOT_SHARE:
        y, x = divmod(int(busiest.argmax()), events.width)
        found.append(f"pixel x={x} y={y} has {share:.0%} of all events")
    found += _strays(events)
    larger = max(events.on, events.off) / events.count
    if events.count > 1000 and larger > UNEVEN_SHARE:
        found.append(f"{larger:.0%} of the events are {'ON' if events.on > events.off else 'OFF'}")
    return found


def _strays(events: Events) -> list[str]:
    """A sensor that is as large as it is for the sake of a few events alone, which no file or user stated then."""
    found = []
    most = int(events.count * STRAY_SHARE)
    for axis, column, side in (("x", events.x, events.width), ("y", events.y, events.height)):
        beyond = np.cumsum(np.bincount(column, minlength=side)[::-1])[::-1]
        usual = int(np.argmax(beyond <= most)) if beyond[-1] <= most else side
        # a side that nobody has an event on was stated
        if most and beyond[-1] and side > STRAY_TIMES * usual:
            where = f"{beyond[usual]} of {events.count} events lie at {axis} from {usual} to {side - 1}"
            found.append(f"{where}, all others below: the sensor was taken as {events.width}x{events.height}; state it")
    return found
