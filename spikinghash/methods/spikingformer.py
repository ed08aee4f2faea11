"""Spikingformer with CML downsampling, the paper's spiking baseline, with Spikinghash's hash layer (section IV-B).

Zhou et al., "Spikingformer" (arXiv 2304.11954) and "Enhancing the performance of transformer-based spiking neural
networks by SNN-optimized downsampling" (arXiv 2305.05954): convolution, BN, max pool, then the neuron.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from spikinghash.layers.attention import SpikingSelfAttention
from spikinghash.layers.block import Block, Downsample, Residual
from spikinghash.layers.conv import ConvNorm
from spikinghash.layers.hash_layer import SpikingHashLayer
from spikinghash.layers.hashing_network import HashingNetwork
from spikinghash.layers.sequential import Part
from spikinghash.methods.frame_options import frame_options, network_arguments
from spikinghash.methods.spec import ModelSpec
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


class Spikingformer(HashingNetwork):
    """Frames [T, B, P, H, W] -> `HashOutput` and class logits; no mixing of time steps but in the neurons."""

    def __init__(
        self, size: FormerSize, *, bits: int, classes: int, steps: int, channels: int = POLARITIES, surrogate: str
    ) -> None:
        super().__init__()
        D = size.width
        widths = (D // 8, D // 4, D // 2, D)
        self.steps = steps
        self.stem = ConvNorm(channels, widths[0], 3, pool=size.pool[0])
        self.tokens = nn.Sequential(
            *(
                Downsample(widths[i], widths[i + 1], pool=size.pool[i + 1], surrogate=surrogate)
                for i in range(len(widths) - 1)
            )
        )
        self.position = Downsample(D, D, pool=False, surrogate=surrogate)
        self.blocks = nn.Sequential(
            *(
                Block(SpikingSelfAttention(D, size.heads, surrogate), D, size.ratio, surrogate)
                for _ in range(size.blocks)
            )
        )
        self.hash = SpikingHashLayer(D, bits, surrogate)
        self.classifier = nn.Linear(bits, classes)

    def body(self) -> Iterator[Part]:
        """Tokens, Spikformer's position convolution, a residual in Spikingformer, and blocks."""
        yield self.tokens
        yield Residual(self.position)
        yield self.blocks


def spikingformer(spec: ModelSpec) -> Spikingformer:
    """The network of `spec`; `ConfigError` for an unknown size."""
    arguments, options = network_arguments(spec, SIZES), frame_options(spec)
    return Spikingformer(SIZES[options.network_size], surrogate=options.surrogate, **arguments)
