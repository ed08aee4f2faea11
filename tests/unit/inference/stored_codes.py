"""Networks whose weights come from numpy's generator alone, and the digests of the codes that they gave at first.

The digests were written down before kernels, operators and plans were separated; a code that changes would make every
database in use incomparable with its model.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from frame_specs import frame_spec
from torch import Tensor, nn

from spikinghash.methods.spec import ModelSpec

CLASSES = tuple("0123456789")
#: (method, size, variant, steps, side) -> first 16 hex digits of the SHA-256 of the packed codes of `clips`.
DIGESTS = {
    ("spikinghash", "Nano", "full", 4, 32): "86179923e7e72d0c",
    ("spikinghash", "Nano", "2d-swm", 4, 32): "91855baa1905dad2",
    ("spikinghash", "Nano", "all-ssa", 4, 32): "0d72d3324d0486f2",
    ("spikinghash", "Nano", "one-level", 4, 32): "515f40388b094dab",
    ("spikinghash", "Nano-bands", "rate", 8, 32): "4d5dfbc2e5e7b504",
    ("spikinghash", "Ti", "full", 4, 32): "91f68b1189a8ca35",
    ("spikingformer-cml", "Nano", "full", 4, 32): "ceb1b9d066b037a4",
}


def spec_of(method: str, size: str, variant: str, steps: int, side: int) -> ModelSpec:
    """A model of 64 bits on clips [steps, 2, side, side]."""
    return frame_spec(
        method=method, size=size, bits=64, classes=CLASSES, steps=steps, height=side, width=side,
        sensor=(side, side), count_clip=8, surrogate="atan", variant=variant,
    )  # fmt: skip


def clips(count: int, steps: int, side: int) -> Tensor:
    """Counts [T, N, 2, H, W] float32, from few events to one in every other cell, more at one side."""
    rng = np.random.default_rng(count)
    shape = (count, steps, 2, side, side)
    share = np.linspace(0.01, 0.5, count)[:, None, None, None, None] * np.linspace(0.2, 1.8, side)
    counts = (rng.random(shape) < share) * rng.integers(1, 9, shape)
    return torch.from_numpy(counts.astype(np.float32)).transpose(0, 1)


@torch.no_grad()
def fill(network: nn.Module, seed: int = 7) -> None:
    """Weights and statistics with which every layer fires, some neurons always and some never."""
    rng = np.random.default_rng(seed)

    def normal(shape: torch.Size, std: float) -> Tensor:
        return torch.from_numpy(rng.normal(0.0, std, tuple(shape)).astype(np.float32))

    for name, tensor in sorted(network.state_dict().items()):
        last = name.rsplit(".", 1)[1] if "." in name else name
        if last == "num_batches_tracked":
            continue
        if last == "running_var":
            tensor.copy_(torch.from_numpy(rng.uniform(0.5, 2.0, tuple(tensor.shape)).astype(np.float32)))
        elif "norm.weight" in name:
            tensor.copy_(1.0 + normal(tensor.shape, 0.1))
        elif "norm.bias" in name or name == "hash.linear.bias":
            tensor.copy_(0.6 + normal(tensor.shape, 0.3))
        elif tensor.ndim == 4 and "conv" in name:
            tensor.copy_(normal(tensor.shape, 1.5 / np.sqrt(tensor[0].numel())))
        else:
            tensor.copy_(normal(tensor.shape, 0.5))


def digest(bits: np.ndarray, margins: np.ndarray) -> str:
    """16 hex digits of bits uint8 [N, K] and margins float32 [N]: these change with the last bit of any feature."""
    return hashlib.sha256(np.packbits(bits, axis=1).tobytes() + margins.tobytes()).hexdigest()[:16]
