"""The front ends `clip_picture` and `clip_text`: CLIP from a local folder, for one space from the start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from spikinghash.datasets.isolated_picture import decode_isolated
from spikinghash.front_ends.clip_folder import ClipFolder
from spikinghash.front_ends.front_end import Raw, Reads, described, picture_of, text_of


class _Clip:
    """Inputs to D of unit length, one at a time: what else is in a batch would change the last bits.

    `folder` is as transformers saves a `CLIPModel` with its tokenizer; nothing is ever fetched.
    """

    name: ClassVar[str]
    reads: ClassVar[Reads]

    def __init__(self, folder: str) -> None:
        self.clip = ClipFolder(Path(folder))

    def fit(self, raw: Iterable[Raw]) -> Self:
        """Itself: it was trained elsewhere."""
        return self

    def __call__(self, raw: Sequence[Raw]) -> NDArray[np.float32]:
        """N inputs -> float32 [N, D]; `BadRecording` for a picture that cannot be decoded."""
        width = len(self.clip.weights["text_projection.weight"])
        out = np.zeros((len(raw), width), np.float32)
        for row, one in enumerate(raw):
            out[row] = self._one(one)
        return out

    def _one(self, raw: Raw) -> NDArray[np.float32]:
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """With the digest of its files."""
        return described(self.name, 1, {"files": self.clip.digest})

    @classmethod
    def rebuild(cls, description: dict[str, Any], folder: Path) -> Self:
        """Undo `describe`, with the files in `folder`."""
        return cls(str(folder))


class ClipPicture(_Clip):
    """Pictures, scaled and cropped to the size of the network."""

    name: ClassVar[str] = "clip_picture"
    reads: ClassVar[Reads] = "picture"

    def _one(self, raw: Raw) -> NDArray[np.float32]:
        import torch

        from spikinghash.front_ends.clip_network import picture

        side = self.clip.vision["image_size"]
        pixels = torch.from_numpy(decode_isolated(picture_of(raw, self.name), (side, side)))
        return picture(pixels, self.clip.weights, self.clip.vision).numpy()


class ClipText(_Clip):
    """Texts, of each as many tokens as the network has places for."""

    name: ClassVar[str] = "clip_text"
    reads: ClassVar[Reads] = "text"

    def _one(self, raw: Raw) -> NDArray[np.float32]:
        from spikinghash.front_ends.clip_network import text

        return text(self.clip.tokenizer.encode(text_of(raw, self.name)).ids, self.clip.weights, self.clip.text).numpy()
