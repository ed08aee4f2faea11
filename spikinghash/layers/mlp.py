"""Spiking MLP block (paper eq. 5)."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from torch import Tensor, nn

from spikinghash.layers.conv import ConvNorm, ConvNormLIF
from spikinghash.layers.fused import affine_constants, is_fixed
from spikinghash.layers.mlp_kernel import mlp
from spikinghash.layers.neuron import LIF
from spikinghash.layers.program import Step, fast
from spikinghash.layers.spike_conv import bias_of, weight_rows
from spikinghash.layers.tape import Gradients, Taped, in_sequence
from spikinghash.layers.taped_mix import by_conv, mix, mixes
from spikinghash.layers.taped_norm import Charge, normed


class SpikingMLP(nn.Module):
    """SN, 1x1 conv to ratio * C, BN, SN, 1x1 conv to C, BN. [T, B, C, H, W] -> the same shape, real-valued."""

    def __init__(self, channels: int, ratio: int, surrogate: str = "sigmoid") -> None:
        super().__init__()
        self.entry = LIF(1.0, surrogate_name=surrogate)
        self.expand = ConvNormLIF(channels, ratio * channels, 1, bias=True, v_th=1.0, surrogate=surrogate)
        self.reduce = ConvNorm(ratio * channels, channels, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        return fast(self, x) if is_fixed(self, x) else self.reduce(self.expand(self.entry(x)))

    def forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        """Training on arrays [T, B, H, W, C]."""
        convs = self.expand.conv, self.reduce.conv
        if not all(mixes(conv.in_channels, conv.out_channels) for conv in convs):
            return in_sequence([self.entry.forward_back, self.expand.forward_back, self.reduce.forward_back], x, grads)
        neuron = self.expand.fire.neuron
        charge, first_back = mix(
            Charge(x), self.entry.constants, by_conv(convs[0], self.expand.fire.norm, grads), grads
        )
        charge, second_back = mix(charge, neuron.constants, by_conv(convs[1], self.reduce.norm, grads), grads)
        y, norm_back = normed(charge)
        return y, lambda g: first_back(second_back(norm_back(g)))[0]

    def compiled(self, *, residual: bool = False) -> Step:
        """Inference on arrays [T, B, H, W, C]; with `residual` x is added to the result."""
        convs, norms = (self.expand.conv, self.reduce.conv), (self.expand.fire.norm, self.reduce.norm)
        affine = [np.stack(affine_constants(norm)) for norm in norms]
        constants = *(weight_rows(conv.weight) for conv in convs), *(bias_of(conv).copy() for conv in convs), *affine
        dynamics, kernel = self.entry.constants.dynamics(), cast(Any, mlp)

        def run(x: np.ndarray) -> np.ndarray:
            out, shape = np.empty_like(x), (x.shape[0], -1, x.shape[-1])
            kernel(x.reshape(shape), out.reshape(shape), *constants, *dynamics, residual)
            return out

        return run
