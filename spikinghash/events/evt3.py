"""EVT 3.0 of Prophesee cameras: little-endian words of 16 bits, after a text header.

Described in the Metavision documentation, "EVT 3.0 format". Times are microseconds; runs of the clock beyond its range
are added up, as the format defines.
"""

from __future__ import annotations

from spikinghash.events.events import Events
from spikinghash.events.evt_header import evt_header
from spikinghash.events.evt_words import read_words
from spikinghash.events.options import DEFAULTS, ReadOptions

NAME = "evt3"
ENCODING = "3.0"


def looks_like(head: bytes, size: int) -> bool:
    """Whether the header names this encoding."""
    return head.startswith(b"%") and evt_header(head).encoding == ENCODING


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file, as `read_words`."""
    from spikinghash.events.evt3_kernel import count_evt3, decode_evt3

    return read_words(data, options, "<u2", (count_evt3, decode_evt3), format=NAME)
