"""Convolution with batch norm, time folded into the batch (convolutions act per time step)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikinghash.layers.neuron import NormLIF, norm_affine


def per_step(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a stateless image layer to every step; [T, B, C, H, W] -> [T, B, C', H', W'], channels-last memory."""
    y = layer(x.flatten(0, 1).contiguous(memory_format=torch.channels_last))
    return y.unflatten(0, x.shape[:2])


class FixedNorm(nn.BatchNorm2d):
    """Batch norm whose inference form is a separate multiplication and addition.

    The library's fused loop may contract them differently in vector body and tail, and then a value depends on its
    place in the batch.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same shape."""
        if self.training:
            return super().forward(x)
        scale, shift = norm_affine(self)
        return x * scale[:, None, None] + shift[:, None, None]


class ConvNorm(nn.Module):
    """k x k convolution, batch norm. [T, B, C, H, W] -> [T, B, C', H, W]."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
        self.norm = FixedNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C', H, W], real-valued."""
        return per_step(self.norm, per_step(self.conv, x))


class ConvNormLIF(nn.Module):
    """k x k convolution, batch norm, LIF. [T, B, C, H, W] -> spikes [T, B, C', H, W]."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool, v_th: float, surrogate: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
        self.fire = NormLIF(outputs, v_th, surrogate_name=surrogate)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> spikes [T, B, C', H, W]."""
        return self.fire(per_step(self.conv, x))
