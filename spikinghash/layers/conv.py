"""Convolution of every time step, and the groups that networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikinghash.layers.deferred import Deferred, deferrable
from spikinghash.layers.norm import BatchNorm
from spikinghash.layers.pool import MaxPool
from spikinghash.layers.sequential import SpikingSequential
from spikinghash.neurons.lif import LIF
from spikinghash.ops.conv import conv
from spikinghash.ops.lif_linear import lif_linear


@deferrable
class Conv(nn.Conv2d):
    """k x k convolution, stride 1, padding k // 2. [T, B, C, H, W] -> [T, B, C', H, W]."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = False) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C', H, W]."""
        images = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return super().forward(images).unflatten(0, x.shape[:2])

    def defer(self, waiting: Deferred) -> Deferred:
        """The bias is left to the next step."""
        if self.kernel_size == (1, 1):
            return linear(waiting, self.weight.flatten(1), self.bias)
        y, moments = conv(waiting.tensor(), self.weight)
        return Deferred(y, moments, self.bias)


def linear(waiting: Deferred, weight: Tensor, bias: Tensor | None) -> Deferred:
    """A matrix product with weight [K, D], with the neurons that wait for it; the bias [K] is left to the next step."""
    if waiting.neuron is None or waiting.bias is not None:
        return Deferred(F.linear(waiting.tensor(), weight), bias=bias)
    y, moments = lif_linear(waiting.x, *waiting.norm, weight, *waiting.neuron.constants.arguments())
    return Deferred(y, moments, bias)


class NormLIF(SpikingSequential):
    """BN, SN. [T, B, C, H, W] -> spikes of the same shape."""

    norm: BatchNorm
    neuron: LIF

    def __init__(self, channels: int, v_th: float = 1.0, surrogate: str = "sigmoid") -> None:
        super().__init__(norm=BatchNorm(channels), neuron=LIF(v_th, surrogate=surrogate))


class ConvNorm(SpikingSequential):
    """k x k convolution, BN, optional max pool by two. [T, B, C, H, W] -> [T, B, C', H', W'], real-valued."""

    conv: Conv
    norm: BatchNorm

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = False, pool: bool = False) -> None:
        last = {"pool": MaxPool()} if pool else {}
        super().__init__(conv=Conv(inputs, outputs, kernel, bias=bias), norm=BatchNorm(outputs), **last)


class ConvNormLIF(SpikingSequential):
    """k x k convolution, BN, SN. [T, B, C, H, W] -> spikes [T, B, C', H, W]."""

    conv: Conv
    fire: NormLIF

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool, v_th: float, surrogate: str) -> None:
        super().__init__(conv=Conv(inputs, outputs, kernel, bias=bias), fire=NormLIF(outputs, v_th, surrogate))
