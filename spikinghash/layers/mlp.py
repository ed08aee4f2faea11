"""Spiking MLP block (paper eq. 5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers.constants import conv_tensors, kept, norm_tensors
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
        pixels, result = (t.numpy().reshape(T, -1, C) for t in (rows, out))
        run: Any = mlp_threads if threaded(x) else mlp
        run(pixels, result, *self._constants(), *self.entry.constants.dynamics())
        return out.movedim(-1, 2)

    def _constants(self) -> Any:
        convs, norms = (self.expand.conv, self.reduce.conv), (self.expand.fire.norm, self.reduce.norm)
        tensors = [t for c, n in zip(convs, norms, strict=True) for t in (*conv_tensors(c), *norm_tensors(n))]

        def make() -> tuple[np.ndarray, ...]:
            affine = [np.stack(affine_constants(norm)) for norm in norms]
            return *(weight_rows(conv.weight) for conv in convs), *(bias_of(conv).copy() for conv in convs), *affine

        return kept(self, tensors, make)
