"""What DAT files of both kinds share: records of a 32-bit time and an address, block after block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.events.block_checks import BlockChecks
from spikinghash.events.clock import Clock
from spikinghash.events.content import Content, pieces
from spikinghash.events.events import Blocks
from spikinghash.events.records import refuse_incomplete
from spikinghash.events.validate import SmallestSensor

RECORD = np.dtype([("t", "<u4"), ("address", "<u4")])
#: x, y and polarity in an address.
Split = Callable[[NDArray[Any]], tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]


def stream_records(
    content: Content, start: int, split: Split, sensor: tuple[int, int] | None, block_bytes: int, *, format: str
) -> Blocks:
    """A pass over the records from byte `start`; without a `sensor` one before it finds the smallest that holds all.

    Raises `BadRecording`: truncated, time-wrap, and what `validate` refuses.
    """
    refuse_incomplete(content.size, start, RECORD.itemsize)

    def offset_of(index: int) -> int:
        return start + index * RECORD.itemsize

    size = sensor or _smallest(content, start, split, block_bytes, offset_of)
    checks, clock = BlockChecks(size, format), Clock(offset_of)
    for records, last in _blocks(content, start, block_bytes):
        clock.add(records["t"])
        block = checks.add(records["t"], *split(records["address"]), last=last)
        if block.count:
            yield block
    return checks.finish(offset_of, {})


def _smallest(
    content: Content, start: int, split: Split, block_bytes: int, offset_of: Callable[[int], int]
) -> tuple[int, int]:
    smallest, clock = SmallestSensor(), Clock(offset_of)
    for records, _ in _blocks(content, start, block_bytes):
        clock.add(records["t"])
        smallest.add(*split(records["address"])[:2])
    return smallest.sensor()


def _blocks(content: Content, start: int, block_bytes: int) -> Iterator[tuple[NDArray[Any], bool]]:
    step = max(1, block_bytes // RECORD.itemsize) * RECORD.itemsize
    left = content.size - start
    for piece in pieces(content, step, start):
        left -= len(piece)
        yield np.frombuffer(piece, RECORD), left == 0
