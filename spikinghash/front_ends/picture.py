"""The front end `picture`: pixels as they are, for networks that look at pictures themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from spikinghash.data.picture import PictureFrame
from spikinghash.datasets.picture_file import ONE_PICTURE
from spikinghash.errors import ConfigError
from spikinghash.front_ends.front_end import Raw, Reads, described, picture_of


class Picture:
    """Pixels uint8 [3, H, W] of a picture that is scaled and cropped to `size` (width, height); no features, and so an
    `image` in a store, as an ingest of pictures makes it.
    """

    name: ClassVar[str] = "picture"
    reads: ClassVar[Reads] = "picture"

    def __init__(self, size: Sequence[int] = (32, 32)) -> None:
        if len(size) != 2 or not all(type(side) is int and 1 <= side <= 4096 for side in size):
            raise ConfigError(f"picture takes a size of width and height in pixels, 1 to 4096, not {size}")
        self.frame = PictureFrame(size[0], size[1], resize=True)

    def fit(self, raw: Iterable[Raw]) -> Self:
        """Itself: there is nothing to learn."""
        return self

    def __call__(self, raw: Sequence[Raw]) -> NDArray[Any]:
        """JPEG or PNG files -> uint8 [N, 3, H, W]; raises `BadRecording` for one that cannot be decoded."""
        out = np.zeros((len(raw), 3, self.frame.height, self.frame.width), np.uint8)
        for row, data in enumerate(raw):
            out[row] = self.frame.pixels(picture_of(data, self.name), ONE_PICTURE)
        return out

    def describe(self) -> dict[str, Any]:
        """See `FrontEnd`."""
        return described(self.name, 1, {"size": [self.frame.width, self.frame.height]})

    @classmethod
    def rebuild(cls, description: dict[str, Any], folder: Path) -> Self:
        """Undo `describe`."""
        return cls(description["size"])
