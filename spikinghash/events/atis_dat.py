"""DAT files of old ATIS cameras: no header, little-endian records of a 32-bit time in microseconds and an address.

An address has x in bits 0-8, y in bits 9-16 and polarity in bit 17 (1 = ON), as in the files of Orchard et al. 2015,
"HFirst: A Temporal Approach to Object Recognition" (POKER-DVS), read by their `read_linux` MATLAB function.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.events.collect import in_one_block
from spikinghash.events.content import Content
from spikinghash.events.dat_records import RECORD, stream_records
from spikinghash.events.events import Blocks, Events
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.rules import ONE_BACKWARD_IN

NAME = "atis-dat"
ADDRESS_BITS = 18
#: So many records must fit before a file that ends inside a record is taken for one of these.
MIN_RECORDS_IF_CUT = 8


def looks_like(head: bytes, size: int) -> bool:
    """Whether the first bytes are records: addresses of 18 bits, times that go back in at most 1 % of the steps."""
    records = np.frombuffer(head, dtype=RECORD, count=len(head) // RECORD.itemsize)
    if len(records) < (MIN_RECORDS_IF_CUT if size % RECORD.itemsize else 2) or not records["address"].any():
        return False
    t = records["t"].astype(np.int64)
    backward = int(np.count_nonzero(t[1:] < t[:-1]))
    return backward * ONE_BACKWARD_IN <= len(records) and int(records["address"].max()) < 2**ADDRESS_BITS


def stream(content: Content, options: ReadOptions, block_bytes: int) -> Blocks:
    """A pass over the events of a file.

    The sensor is `options.sensor`, else the smallest that holds all coordinates, for which the file is read twice. An
    address of more than 18 bits gives a polarity that is refused. Raises `BadRecording`: truncated, time-wrap, and what
    `validate` refuses.
    """
    return stream_records(content, 0, _split, options.sensor, block_bytes, format=NAME)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file at once."""
    return in_one_block(stream, data, options)


def _split(address: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    return address & 0x1FF, (address >> 9) & 0xFF, address >> 17
