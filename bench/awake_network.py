"""Networks whose layers all fire, and clips for them: what `bench/training.py` measures on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.data.described import event_field
from spikinghash.frames.framing import Framing
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.layers.wavemixer import WaveMixer
from spikinghash.methods.model_input import ModelInput
from spikinghash.methods.spec import ModelSpec
from spikinghash.methods.spikinghash import SIZES, Spikinghash

CLIP = 8


@dataclass(frozen=True)
class Load:
    """Clips of a training step and of an encoding, and how many times faster than eager each is to be; 0: any."""

    batch: int
    encoded: int
    training_target: float
    encoding_target: float


LOADS = {"Nano": Load(32, 128, 3.5, 8.0), "Ti": Load(32, 64, 2.5, 6.0), "S": Load(8, 16, 2.5, 0.0)}


def spec_of(size: str) -> ModelSpec:
    """Clips of 4 steps, 32 x 32."""
    clips = ModelInput(event_field(Framing(4).meta((32, 32))), 32, 32, CLIP)
    return ModelSpec("spikinghash", 64, tuple("0123456789"), {"events": clips}, {"network_size": size})


def make_clips(count: int) -> tuple[np.ndarray, Tensor]:
    """Sparse counts uint8 [N, T, 2, H, W], an event in every seventh cell, and labels [N]."""
    rng, spec = np.random.default_rng(count), spec_of("Nano")
    shape = (count, spec.input.steps, 2, spec.input.height, spec.input.width)
    counts = (rng.random(shape) < 0.15) * rng.integers(1, CLIP + 1, shape)
    return counts.astype(np.uint8), torch.arange(count) % len(spec.classes)


@torch.no_grad()
def awake(size: str) -> Spikinghash:
    """Fresh weights whose norms know the data, nudged so that attention, low band and bits have something to say."""
    torch.manual_seed(3)
    spec = spec_of(size)
    network = Spikinghash(
        SIZES[size], bits=spec.bits, classes=len(spec.classes), steps=spec.input.steps, height=spec.input.height,
        width=spec.input.width, surrogate="atan",
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
    snap_to_grid(network, spec.input.levels)
    return network.eval()
