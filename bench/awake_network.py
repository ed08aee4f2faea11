"""A Nano whose layers all fire, and clips for it: what `bench/training.py` measures on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.layers.wavemixer import WaveMixer
from spikinghash.methods.spec import ModelSpec
from spikinghash.methods.spikinghash import SIZES, Spikinghash

BATCH, ENCODED, CLIP = 32, 128, 8
SPEC = ModelSpec(
    method="spikinghash", size="Nano", bits=64, classes=tuple("0123456789"), steps=4, height=32, width=32,
    sensor=(32, 32), count_clip=CLIP, surrogate="atan", frames_digest="",
)  # fmt: skip


def make_clips(count: int) -> tuple[np.ndarray, Tensor]:
    """Sparse counts uint8 [N, T, 2, H, W], an event in every seventh cell, and labels [N]."""
    rng = np.random.default_rng(count)
    shape = (count, SPEC.steps, 2, SPEC.height, SPEC.width)
    counts = (rng.random(shape) < 0.15) * rng.integers(1, CLIP + 1, shape)
    return counts.astype(np.uint8), torch.arange(count) % len(SPEC.classes)


@torch.no_grad()
def awake() -> Spikinghash:
    """Fresh weights whose norms know the data, nudged so that attention, low band and bits have something to say."""
    torch.manual_seed(3)
    network = Spikinghash(
        SIZES[SPEC.size], bits=SPEC.bits, classes=len(SPEC.classes), steps=SPEC.steps, height=SPEC.height,
        width=SPEC.width, surrogate=SPEC.surrogate,
    )  # fmt: skip
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
        if name.endswith((".q.fire.norm", ".k.fire.norm", ".v.fire.norm")):
            module.bias.add_(1.0)  # type: ignore[operator]
        if isinstance(module, WaveMixer):
            module.low.mul_(50.0)
    network(torch.from_numpy(make_clips(16)[0]).float().transpose(0, 1))
    network.hash.linear.bias.add_(0.7)  # type: ignore[union-attr]
    snap_to_grid(network, SPEC.input_levels)
    return network.eval()
