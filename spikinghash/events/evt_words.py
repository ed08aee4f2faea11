"""What the readers of the EVT encodings share: from words through a compiled loop to `Events`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.events.evt_header import evt_header, sensor_of
from spikinghash.events.options import ReadOptions
from spikinghash.events.records import whole_records
from spikinghash.events.validate import validate

Kernel = tuple[Callable[[NDArray[Any]], int], Callable[..., int]]


def read_words(
    data: bytes,
    options: ReadOptions,
    dtype: str,
    kernel: Kernel,
    *,
    format: str,
    arrange: Callable[[NDArray[Any], str | None], NDArray[Any]] | None = None,
) -> Events:
    """Decode the whole content of a file of words of `dtype`; one without a header needs `options.sensor`.

    The sensor is `options.sensor`, else the geometry in the header, else that of its `system_ID`. `arrange` gets the
    words and the `endianness` of the header and puts the bits in order. External triggers and words of the vendor are
    counted in `dropped`. Raises `BadRecording`: truncated, sensor, event-type (offset of the first unknown word), and
    what `validate` refuses.
    """
    header = evt_header(data)
    words = whole_records(data, header.start, dtype)
    sensor = sensor_of(header, options)
    if arrange is not None:
        words = arrange(words, header.endianness)
    return _decode_words(words, kernel, format=format, start=header.start, sensor=sensor)


def _decode_words(words: NDArray[Any], kernel: Kernel, *, format: str, start: int, sensor: tuple[int, int]) -> Events:
    """Count, decode and validate words [N] that stand in the file from byte `start`.

    `kernel` is (count, decode) of one encoding, see `evt2_kernel`. Trigger words, vendor words and events before the
    first time are counted in `dropped`. Raises `BadRecording`: event-type with the byte of the first unknown word, and
    what `validate` refuses.
    """
    from spikinghash.events.evt2_kernel import BAD_WORD, EVENTS, EXTERNAL, UNTIMED, VENDOR

    count, decode = kernel
    room = count(words)
    counts = np.zeros(5, dtype=np.int64)
    out = tuple(np.empty(room, dtype=dtype) for dtype in (np.int64, np.uint16, np.uint16, np.uint8))
    decode(words, out, room + 1, counts)
    bad = int(counts[BAD_WORD])
    if bad >= 0:
        where = start + bad * words.itemsize
        kind = int(words[bad]) >> (8 * words.itemsize - 4)
        raise BadRecording("event-type", f"a word of the unknown type 0x{kind:X} for {format}", where)

    def offset_of(index: int) -> int:
        # the loop says at which word it stopped: after the one that brought event number `index`
        # no word brings more than 32
        scratch = tuple(np.empty(index + 33, dtype=column.dtype) for column in out)
        return start + (int(decode(words, scratch, index + 1, counts)) - 1) * words.itemsize

    found = int(counts[EVENTS])
    skipped = {"external": int(counts[EXTERNAL]), "vendor": int(counts[VENDOR]), "untimed": int(counts[UNTIMED])}
    t, x, y, p = (column[:found] for column in out)
    return validate(
        t, x, y, p, sensor=sensor, format=format, offset_of=offset_of, skipped=skipped, give_away=True
    )  # fmt: skip
