"""The front end `pixels`: colours of blocks and directions of edges, for a pipeline that needs nothing from elsewhere.

Histograms of oriented gradients as in Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR
2005: unsigned directions, each edge shared by the two nearest bins; here without overlapping blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from spikinghash.datasets.isolated_picture import decode_isolated
from spikinghash.errors import ConfigError
from spikinghash.front_ends.front_end import Raw, Reads, described, picture_of


class Pixels:
    """A picture, scaled and cropped to `side` x `side`, is cut into `cells` x `cells` cells: the mean colour of each,
    and how strong its edges are in `directions` directions. D = cells^2 (3 + directions), unit length.
    """

    name: ClassVar[str] = "pixels"
    reads: ClassVar[Reads] = "picture"

    def __init__(self, side: int = 32, cells: int = 4, directions: int = 8) -> None:
        if not (1 <= cells <= 16 and 2 <= directions <= 36 and 4 <= side <= 512 and side % cells == 0):
            raise ConfigError(f"pixels takes a side of 4 to 512 in 1 to 16 equal cells, not {side} in {cells}")
        self.side, self.cells, self.directions = side, cells, directions

    def fit(self, raw: Iterable[Raw]) -> Self:
        """Itself: there is nothing to learn."""
        return self

    def __call__(self, raw: Sequence[Raw]) -> NDArray[np.float32]:
        """JPEG or PNG files -> float32 [N, D]; raises `BadRecording` for one that cannot be decoded."""
        width = self.cells**2 * (3 + self.directions)
        out = np.zeros((len(raw), width), np.float32)
        for row, data in enumerate(raw):
            out[row] = self._descriptor(decode_isolated(picture_of(data, self.name), (self.side, self.side)) / 255)
        return out

    def _descriptor(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 [3, H, W], 0 to 1 -> [D]."""
        colours = np.stack([self._cell_sums(one) for one in image - 0.5])
        grey = image.mean(axis=0)
        down, right = np.gradient(grey)
        strength = np.hypot(down, right)
        place = np.arctan2(down, right) % np.pi / np.pi * self.directions
        lower = np.floor(place)
        share = place - lower
        edges = []
        for i in range(self.directions):
            weight = (1 - share) * (lower % self.directions == i) + share * ((lower + 1) % self.directions == i)
            edges.append(self._cell_sums(strength * weight).ravel())
        return _unit(np.concatenate([_unit(colours.ravel()), _unit(np.concatenate(edges))]))

    def _cell_sums(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        size = self.side // self.cells
        return image.reshape(self.cells, size, self.cells, size).sum(axis=(1, 3))

    def describe(self) -> dict[str, Any]:
        """See `FrontEnd`."""
        return described(self.name, 1, {"side": self.side, "cells": self.cells, "directions": self.directions})

    @classmethod
    def rebuild(cls, description: dict[str, Any], folder: Path) -> Self:
        """Undo `describe`."""
        return cls(description["side"], description["cells"], description["directions"])


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.sqrt((values**2).sum()))
    return values / length if length > 0 else values
