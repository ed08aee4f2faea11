"""What the readers of the EVT encodings share: words through a compiled loop, block after block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.block_checks import BlockChecks
from spikinghash.events.content import Content
from spikinghash.events.events import Blocks
from spikinghash.events.evt_header import evt_header, sensor_of
from spikinghash.events.options import ReadOptions
from spikinghash.events.percent_header import whole_header
from spikinghash.events.records import refuse_incomplete
from spikinghash.events.rules import MAX_LATE_US

_TYPES = (np.int64, np.uint16, np.uint16, np.uint8)
#: So many words tell how the bits of all are ordered.
_LOOK_AT = 4096


@dataclass(frozen=True)
class Words:
    """One encoding: words of `dtype`, and its loops, see `evt2_kernel`.

    `are_swapped` gets the first words and the `endianness` of the header, `swap` puts the bits in order. An event that
    is good comes at most `late_us` late.
    """

    dtype: str
    count: Callable[[NDArray[Any]], int]
    decode: Callable[..., int]
    format: str
    late_us: int = MAX_LATE_US
    are_swapped: Callable[[NDArray[Any], str | None], bool] | None = None
    swap: Callable[[NDArray[Any]], NDArray[Any]] | None = None

    @property
    def size(self) -> int:
        """Bytes of a word."""
        return np.dtype(self.dtype).itemsize


def stream_words(content: Content, options: ReadOptions, block_bytes: int, words: Words) -> Blocks:
    """A pass over the events of a file of words; one without a header needs `options.sensor`.

    The sensor is `options.sensor`, else the geometry in the header, else that of its `system_ID`. External triggers and
    words of the vendor are counted in `dropped`. Raises `BadRecording`: truncated, sensor, event-type (offset of the
    first unknown word), and what `validate` refuses.
    """
    from spikinghash.events.evt2_kernel import EXTERNAL, UNTIMED, VENDOR

    header = evt_header(whole_header(content))
    refuse_incomplete(content.size, header.start, words.size)
    checks = BlockChecks(sensor_of(header, options), words.format, words.late_us)
    decoder = _Decoder(content, words, header.start, header.endianness, block_bytes)
    skipped = np.zeros(5, np.int64)
    for columns, counts, last in decoder.blocks():
        skipped += counts
        block = checks.add(*columns, last=last, give_away=True)
        if block.count:
            yield block
    names = {"external": EXTERNAL, "vendor": VENDOR, "untimed": UNTIMED}
    return checks.finish(decoder.offset_of, {name: int(skipped[which]) for name, which in names.items()})


Columns = tuple[NDArray[Any], ...]


class _Decoder:
    """Words of a file that stand from byte `start` to its end, in blocks of about `block_bytes`."""

    def __init__(self, content: Content, words: Words, start: int, endianness: str | None, block_bytes: int) -> None:
        self.content, self.words, self.start = content, words, start
        self.step = max(1, block_bytes // words.size) * words.size
        look = content.read(start, min(content.size, start + _LOOK_AT * words.size)) if words.are_swapped else b""
        self.swapped = words.are_swapped is not None and words.are_swapped(np.frombuffer(look, words.dtype), endianness)

    def blocks(self) -> Iterator[tuple[Columns, NDArray[np.int64], bool]]:
        """Columns t, x, y, p of each block, what was counted in it, whether it is the last."""
        from spikinghash.events.evt2_kernel import BAD_WORD, EVENTS

        for where, words, state in self._words():
            room, counts = self.words.count(words), np.zeros(5, np.int64)
            out = tuple(np.empty(room, kind) for kind in _TYPES)
            self.words.decode(words, out, room + 1, counts, state)
            bad = int(counts[BAD_WORD])
            if bad >= 0:
                kind = int(words[bad]) >> (8 * self.words.size - 4)
                message = f"a word of the unknown type 0x{kind:X} for {self.words.format}"
                raise BadRecording("event-type", message, where + bad * self.words.size)
            found = int(counts[EVENTS])
            yield tuple(column[:found] for column in out), counts, where + words.nbytes >= self.content.size

    def offset_of(self, index: int) -> int:
        """The byte of the word that brought event number `index`."""
        from spikinghash.events.evt2_kernel import EVENTS

        for where, words, state in self._words():
            room, counts, before = self.words.count(words), np.zeros(5, np.int64), state.copy()
            # the loop may go on to the end of a word, and no word brings more than 32
            out = tuple(np.empty(room + 33, kind) for kind in _TYPES)
            self.words.decode(words, out, room + 1, counts, state)
            if index < int(counts[EVENTS]):
                # it says at which word it stopped: after the one that brought the event
                stopped = int(self.words.decode(words, out, index + 1, counts, before))
                return where + (stopped - 1) * self.words.size
            index -= int(counts[EVENTS])
        raise IndexError(index)

    def _words(self) -> Iterator[tuple[int, NDArray[Any], NDArray[np.int64]]]:
        """Byte of each block in the file, its words, and the state that goes from one to the next."""
        from spikinghash.events.evt2_kernel import STATE

        state = np.zeros(STATE, np.int64)
        for where in range(self.start, self.content.size, self.step):
            words = np.frombuffer(self.content.read(where, min(where + self.step, self.content.size)), self.words.dtype)
            yield where, self.words.swap(words) if self.swapped and self.words.swap else words, state
