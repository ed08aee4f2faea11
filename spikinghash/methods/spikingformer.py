"""Spikingformer with CML downsampling, the paper's spiking baseline, with Spikinghash's hash layer (section IV-B).

Zhou et al., "Spikingformer" (arXiv 2304.11954) and "Enhancing the performance of transformer-based spiking neural
networks by SNN-optimized downsampling" (arXiv 2305.05954): convolution, BN, max pool, then the neuron.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.layers.attention import SpikingSelfAttention
from spikinghash.layers.conv import ConvNorm
from spikinghash.layers.direct import entry, repeat_step, scale
from spikinghash.layers.event_conv import stem_step
from spikinghash.layers.fused import is_fixed
from spikinghash.layers.hash_layer import HashOutput, SpikingHashLayer, global_average
from spikinghash.layers.program import Step, chain, compiled, frames_through
from spikinghash.methods.spec import ModelSpec
from spikinghash.methods.spikinghash import Block, Downsample
from spikinghash.schema import POLARITIES


@dataclass(frozen=True)
class FormerSize:
    """`width` D of the tokens, `blocks` of attention and MLP, `pool` after each of the four tokeniser convolutions."""

    width: int
    blocks: int
    heads: int
    pool: tuple[bool, bool, bool, bool]
    ratio: int = 4


#: "4-384" and "4-512" are the published ones (CIFAR and DVS); "Nano" has about as many weights as Spikinghash-Nano.
SIZES: dict[str, FormerSize] = {
    "Nano": FormerSize(80, 2, 8, (False, True, True, True)),
    "4-384": FormerSize(384, 4, 12, (False, False, True, True)),
    "4-512": FormerSize(512, 4, 16, (True, True, True, True)),
}


class Spikingformer(nn.Module):
    """Frames [T, B, P, H, W] -> `HashOutput` and class logits; no mixing of time steps but in the neurons."""

    def __init__(
        self, size: FormerSize, *, bits: int, classes: int, steps: int, channels: int = POLARITIES, surrogate: str
    ) -> None:
        super().__init__()
        widths = (size.width // 8, size.width // 4, size.width // 2, size.width)
        self.steps = steps
        self.stem = ConvNorm(channels, widths[0], 3)
        self.stem_pool: nn.Module | None = nn.MaxPool2d(3, 2, 1) if size.pool[0] else None
        self.tokens = nn.Sequential(
            *(
                Downsample(before, width, pool=pool, surrogate=surrogate)
                for before, width, pool in zip(widths, widths[1:], size.pool[1:], strict=False)
            )
        )
        self.position = Downsample(size.width, size.width, pool=False, surrogate=surrogate)
        self.blocks = nn.Sequential(
            *(
                Block(SpikingSelfAttention(size.width, size.heads, surrogate), size.width, size.ratio, surrogate)
                for _ in range(size.blocks)
            )
        )
        self.hash = SpikingHashLayer(size.width, bits, surrogate)
        self.classifier = nn.Linear(bits, classes)

    def forward(self, x: Tensor) -> tuple[HashOutput, Tensor]:
        """x [T, B, P, H, W] float counts -> hash output of [B, K], logits [B, classes] from the firing rates."""
        x = scale(x)
        x = frames_through(self, x) if is_fixed(self, x) else self._blocks(x)
        out: HashOutput = self.hash(global_average(x, exact=not self.training))
        return out, self.classifier(out.rate)

    def _blocks(self, x: Tensor) -> Tensor:
        x = self.tokens(entry(self.stem, self.stem_pool, x, self.steps))
        # the position convolution of Spikformer, a residual in Spikingformer
        blocks: Tensor = self.blocks(x + self.position(x))
        return blocks

    def compiled(self) -> Step:
        """All before the pooled features, in inference on arrays: counts [T, B, P, H, W] -> [T, B, H', W', D]."""
        tokens = chain(stem_step(self.stem, self.stem_pool), repeat_step(self.steps), compiled(self.tokens))
        position, blocks = compiled(self.position), compiled(self.blocks)

        def run(x: np.ndarray) -> np.ndarray:
            x = tokens(x)
            return blocks(x + position(x))

        return run

    def classify(self, x: Tensor) -> Tensor:
        """x [T, B, P, H, W] -> logits [B, classes]."""
        return self.forward(x)[1]


def spikingformer(spec: ModelSpec) -> Spikingformer:
    """The network of `spec`; `ConfigError` for an unknown size."""
    if spec.size not in SIZES:
        raise ConfigError(f"unknown size {spec.size!r}; one of: {', '.join(SIZES)}")
    return Spikingformer(
        SIZES[spec.size], bits=spec.bits, classes=len(spec.classes), steps=spec.steps, channels=spec.channels,
        surrogate=spec.surrogate,
    )  # fmt: skip
