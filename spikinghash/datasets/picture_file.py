"""One file of an image data set: which pictures lie in it, and how the bytes of each become pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from spikinghash.datasets.image_bytes import Pixels
from spikinghash.datasets.isolated_picture import decode_isolated
from spikinghash.datasets.recording import Recording
from spikinghash.events.source import Source

Size = tuple[int, int]
#: A recording and the bytes that are its picture alone.
Content = tuple[Recording, bytes]


@dataclass(frozen=True)
class PictureFile:
    """`contents(source, recordings)` yields the bytes of every picture of a file, in the order of its recordings;
    `decode(bytes, size)` gives pixels uint8 [3, H, W], resized to (width, height) unless `size` is None.

    Both raise `BadRecording`: the first refuses the whole file, the second one picture.
    """

    contents: Callable[[Source, Sequence[Recording]], Iterable[Content]]
    decode: Callable[[bytes, Size | None], Pixels]


def _whole(source: Source, recordings: Sequence[Recording]) -> Iterator[Content]:
    for recording in recordings:
        yield recording, source.data


#: A PNG or JPEG.
ONE_PICTURE = PictureFile(_whole, decode_isolated)
