"""Spiking MLP block (paper eq. 5)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers.conv import ConvNorm, ConvNormLIF
from spikinghash.layers.fused import affine_constants, is_fixed, threaded
from spikinghash.layers.mlp_kernel import mlp, mlp_threads
from spikinghash.layers.neuron import LIF
from spikinghash.layers.spike_conv import bias_of, weight_rows


class SpikingMLP(nn.Module):
    """SN, 1x1 conv to ratio * C, BN, SN, 1x1 conv to C, BN. [T, B, C, H, W] -> the same shape, real-valued."""

    def __init__(self, channels: int, ratio: int, surrogate: str = "sigmoid") -> None:
        super().__init__()
        self.entry = LIF(1.0, surrogate_name=surrogate)
        self.expand = ConvNormLIF(channels, ratio * channels, 1, bias=True, v_th=1.0, surrogate=surrogate)
        self.reduce = ConvNorm(ratio * channels, channels, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        return self._fused(x) if is_fixed(self, x) else self.reduce(self.expand(self.entry(x)))

    def _fused(self, x: Tensor) -> Tensor:
        T, _, C, _, _ = x.shape
        rows = x.movedim(2, -1).contiguous()
        out = torch.empty_like(rows)
        expand, reduce = self.expand.conv, self.reduce.conv
        bias1, bias2 = (bias_of(conv) for conv in (expand, reduce))
        norm1, norm2 = (np.stack(affine_constants(norm)) for norm in (self.expand.fire.norm, self.reduce.norm))
        pixels, result = (t.numpy().reshape(T, -1, C) for t in (rows, out))
        weights = weight_rows(expand.weight), weight_rows(reduce.weight)
        run = mlp_threads if threaded(x) else mlp
        run(pixels, result, *weights, bias1, bias2, norm1, norm2, *self.entry.constants.dynamics())
        return out.movedim(-1, 2)
