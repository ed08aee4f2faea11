"""Turning decoded events the way the user asked: the one place where flips, transposition and inversion happen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.events.collect import Pass
from spikinghash.events.events import Blocks, Events
from spikinghash.events.options import ReadOptions


def in_file_axes(options: ReadOptions) -> ReadOptions:
    """The same options for a reader, which sees the sensor (width, height) before it is transposed."""
    if options.sensor is None or not options.transpose:
        return options
    width, height = options.sensor
    return replace(options, sensor=(height, width))


def orient(events: Events, options: ReadOptions) -> Events:
    """Apply `flip_x`, `flip_y`, then `transpose`, and `invert_polarity`; times, counts and the given arrays stay."""
    if not (options.flip_x or options.flip_y or options.transpose or options.invert_polarity):
        return events
    x, y, width, height = events.x, events.y, events.width, events.height
    if options.flip_x:
        x = _frozen(np.uint16(width - 1) - x)
    if options.flip_y:
        y = _frozen(np.uint16(height - 1) - y)
    if options.transpose:
        x, y, width, height = y, x, height, width
    p = _frozen(np.uint8(1) - events.p) if options.invert_polarity else events.p
    return replace(events, x=x, y=y, p=p, width=width, height=height)


def orient_blocks(blocks: Blocks, options: ReadOptions) -> Blocks:
    """A pass whose events are all turned so."""
    turned = Pass(blocks)
    for block in turned:
        yield orient(block, options)
    facts = turned.facts
    return replace(facts, width=facts.height, height=facts.width) if options.transpose else facts


def _frozen(column: NDArray[Any]) -> NDArray[Any]:
    column.flags.writeable = False
    return column
