"""Spiking self-attention (paper eqs. 13-15)."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from spikinghash.layers.accounts import Composed, Operation, Rates
from spikinghash.layers.conv import ConvNorm, ConvNormLIF
from spikinghash.layers.sequential import through
from spikinghash.neurons.lif import LIF

#: The released scale; 1 / sqrt(head width) for 64, kept whatever the width.
SCALE = 0.125
OUTPUT_THRESHOLD = 0.5


class SpikingSelfAttention(Composed, nn.Module):
    """SN; q, k, v = SN(BN(conv1x1)); SN((q k^T) v * s) per head and step, no softmax; conv1x1, BN.

    [T, B, C, H, W] -> the same shape, real-valued. Tokens are the H * W positions. All factors are binary, so the
    products are exact integers and may be taken as q (k^T v), whichever is cheaper.
    """

    def __init__(self, channels: int, heads: int, surrogate: str = "sigmoid") -> None:
        super().__init__()
        self.heads = heads
        self.entry = LIF(1.0, surrogate=surrogate)
        self.q, self.k, self.v = (
            ConvNormLIF(channels, channels, 1, bias=False, v_th=1.0, surrogate=surrogate) for _ in range(3)
        )
        self.fire = LIF(OUTPUT_THRESHOLD, surrogate=surrogate)
        self.project = ConvNorm(channels, channels, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        T, B, C, H, W = x.shape
        spikes = self.entry(x)
        q, k, v = (self._split(part(spikes)) for part in (self.q, self.k, self.v))
        y = q @ (k.transpose(-2, -1) @ v) if C // self.heads < H * W else (q @ k.transpose(-2, -1)) @ v
        y = (y * SCALE).transpose(2, 3).reshape(T, B, H, W, C).movedim(-1, 2)
        return through(y, (self.fire, self.project))

    def operations(self, x: Tensor, y: Tensor, rate: Rates) -> Iterator[Operation]:
        """Both products of eq. 14, charged as q k^T and its product with v."""
        macs = x.numel() * x.shape[3] * x.shape[4]
        yield Operation("qk", "attention", macs, rate("q.fire"))
        yield Operation("av", "attention", macs, rate("v.fire"))

    def _split(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, heads, H * W, C / heads]."""
        T, B, C, H, W = x.shape
        return x.movedim(2, -1).reshape(T, B, H * W, self.heads, C // self.heads).transpose(2, 3)
