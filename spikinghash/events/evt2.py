"""EVT 2.0 of Prophesee cameras: little-endian words of 32 bits, after a text header.

Described in the Metavision documentation, "EVT 2.0 format". Times are microseconds; runs of the clock beyond its range
are added up, as the format defines.
"""

from __future__ import annotations

from spikinghash.events.collect import in_one_block
from spikinghash.events.content import Content
from spikinghash.events.events import Blocks, Events
from spikinghash.events.evt_header import evt_header
from spikinghash.events.evt_words import Words, stream_words
from spikinghash.events.options import DEFAULTS, ReadOptions

NAME = "evt2"
ENCODING = "2.0"


def looks_like(head: bytes, size: int) -> bool:
    """Whether the header names this encoding."""
    return head.startswith(b"%") and evt_header(head).encoding == ENCODING


def stream(content: Content, options: ReadOptions, block_bytes: int) -> Blocks:
    """A pass over the events of a file, as `stream_words`."""
    from spikinghash.events.evt2_kernel import count_evt2, decode_evt2

    return stream_words(content, options, block_bytes, Words("<u4", count_evt2, decode_evt2, format=NAME))


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file at once."""
    return in_one_block(stream, data, options)
