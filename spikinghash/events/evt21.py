"""EVT 2.1 of Prophesee cameras: words of 64 bits, each up to 32 events of one row, after a text header.

Described in the Metavision documentation, "EVT 2.1 format". IMX636 files ("legacy") store the upper 32 bits of a word
first, GenX320 files the lower ones; the header says which by `endianness=`, else the types of the words tell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.events.collect import in_one_block
from spikinghash.events.content import Content
from spikinghash.events.events import Blocks, Events
from spikinghash.events.evt_header import evt_header
from spikinghash.events.evt_words import Words, stream_words
from spikinghash.events.options import DEFAULTS, ReadOptions

NAME = "evt21"
ENCODING = "2.1"
KNOWN_TYPES = (0x0, 0x1, 0x8, 0xA, 0xE, 0xF)
_TIME_HIGH = 0x8


def looks_like(head: bytes, size: int) -> bool:
    """Whether the header names this encoding."""
    return head.startswith(b"%") and evt_header(head).encoding == ENCODING


def stream(content: Content, options: ReadOptions, block_bytes: int) -> Blocks:
    """A pass over the events of a file, as `stream_words`."""
    from spikinghash.events.evt21_kernel import count_evt21, decode_evt21

    words = Words("<u8", count_evt21, decode_evt21, format=NAME, are_swapped=_upper_half_first, swap=_swap_halves)
    return stream_words(content, options, block_bytes, words)


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file at once."""
    return in_one_block(stream, data, options)


def _swap_halves(words: NDArray[Any]) -> NDArray[Any]:
    return (words << np.uint64(32)) | (words >> np.uint64(32))


def _upper_half_first(words: NDArray[Any], endianness: str | None) -> bool:
    if endianness is not None:
        return endianness == "legacy"
    return _plausible(words, 28) >= _plausible(words, 60)


def _plausible(words: NDArray[Any], shift: int) -> tuple[int, bool]:
    """How many words have a known type if it stands at bit `shift`, and whether a time comes first, as it should."""
    types = (words >> np.uint64(shift)) & np.uint64(0xF)
    return int(np.count_nonzero(np.isin(types, KNOWN_TYPES))), bool(types.size) and int(types[0]) == _TIME_HIGH
