"""Spiking MLP block (paper eq. 5)."""

from __future__ import annotations

from torch import Tensor, nn

from spikinghash.layers.conv import ConvNorm, ConvNormLIF
from spikinghash.layers.neuron import LIF


class SpikingMLP(nn.Module):
    """SN, 1x1 conv to ratio * C, BN, SN, 1x1 conv to C, BN. [T, B, C, H, W] -> the same shape, real-valued."""

    def __init__(self, channels: int, ratio: int, surrogate: str = "sigmoid") -> None:
        super().__init__()
        self.entry = LIF(1.0, surrogate_name=surrogate)
        self.expand = ConvNormLIF(channels, ratio * channels, 1, bias=True, v_th=1.0, surrogate=surrogate)
        self.reduce = ConvNorm(ratio * channels, channels, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        return self.reduce(self.expand(self.entry(x)))
