"""Spiking MLP block (paper eq. 5)."""

from __future__ import annotations

from spikinghash.layers.conv import ConvNorm, ConvNormLIF
from spikinghash.layers.sequential import SpikingSequential
from spikinghash.neurons.lif import LIF


class SpikingMLP(SpikingSequential):
    """SN, 1x1 conv to ratio * C, BN, SN, 1x1 conv to C, BN. [T, B, C, H, W] -> the same shape, real-valued."""

    entry: LIF
    expand: ConvNormLIF
    reduce: ConvNorm

    def __init__(self, channels: int, ratio: int, surrogate: str = "sigmoid") -> None:
        super().__init__(
            entry=LIF(1.0, surrogate=surrogate),
            expand=ConvNormLIF(channels, ratio * channels, 1, bias=True, v_th=1.0, surrogate=surrogate),
            reduce=ConvNorm(ratio * channels, channels, 1, bias=True),
        )
