"""Spiking self-attention (paper eqs. 13-15)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers.attention_kernel import attend, attend_threads
from spikinghash.layers.constants import conv_tensors, kept, norm_tensors
from spikinghash.layers.conv import ConvNorm, ConvNormLIF
from spikinghash.layers.fused import affine_constants, is_fixed, threaded
from spikinghash.layers.neuron import LIF
from spikinghash.layers.spike_conv import bias_of, padded
from spikinghash.layers.vector_rows import LANES

#: The released scale; 1 / sqrt(head width) for 64, kept whatever the width.
SCALE = 0.125
OUTPUT_THRESHOLD = 0.5


class SpikingSelfAttention(nn.Module):
    """SN; q, k, v = SN(BN(conv1x1)); SN((q k^T) v * s) per head and step, no softmax; conv1x1, BN.

    [T, B, C, H, W] -> the same shape, real-valued. Tokens are the H * W positions. All factors are binary, so the
    products are exact integers and may be taken as q (k^T v), whichever is cheaper.
    """

    def __init__(self, channels: int, heads: int, surrogate: str = "sigmoid") -> None:
        super().__init__()
        self.heads = heads
        self.entry = LIF(1.0, surrogate_name=surrogate)
        self.q, self.k, self.v = (
            ConvNormLIF(channels, channels, 1, bias=False, v_th=1.0, surrogate=surrogate) for _ in range(3)
        )
        self.fire = LIF(OUTPUT_THRESHOLD, surrogate_name=surrogate)
        self.project = ConvNorm(channels, channels, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        T, B, C, H, W = x.shape
        if C % LANES == 0 and is_fixed(self, x):
            return self._fused(x)
        spikes = self.entry(x)
        q, k, v = (self._split(part(spikes)) for part in (self.q, self.k, self.v))
        y = q @ (k.transpose(-2, -1) @ v) if C // self.heads < H * W else (q @ k.transpose(-2, -1)) @ v
        y = (y * SCALE).transpose(2, 3).reshape(T, B, H, W, C).movedim(-1, 2)
        return self.project(self.fire(y))

    def _fused(self, x: Tensor) -> Tensor:
        T, B, C, H, W = x.shape
        rows = x.movedim(2, -1).contiguous()
        out = torch.empty_like(rows)
        pixels, result = (t.numpy().reshape(T, B, H * W, C) for t in (rows, out))
        neurons = *self.entry.constants.dynamics(), *self.fire.constants.dynamics()
        run: Any = attend_threads if threaded(x) else attend
        run(pixels, result, *self._constants(), C // self.heads, np.float32(SCALE), neurons)
        return out.movedim(-1, 2)

    def _constants(self) -> Any:
        parts = self.q, self.k, self.v
        convs = [*(part.conv for part in parts), self.project.conv]
        norms = [*(part.fire.norm for part in parts), self.project.norm]
        tensors = [t for c, n in zip(convs, norms, strict=True) for t in (*conv_tensors(c), *norm_tensors(n))]

        def make() -> tuple[np.ndarray, ...]:
            weights = padded(np.stack([conv.weight.detach().numpy()[:, :, 0, 0].T for conv in convs]))
            biases = np.stack([bias_of(conv) for conv in convs])
            return weights, biases, np.stack([np.stack(affine_constants(norm)) for norm in norms])

        return kept(self, tensors, make)

    def _split(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, heads, H * W, C / heads]."""
        T, B, C, H, W = x.shape
        return x.movedim(2, -1).reshape(T, B, H * W, self.heads, C // self.heads).transpose(2, 3)
