"""One level of nested blocks: attention within each block of the map, and nowhere else (NesT, Zhang et al., 2022)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spikinghash.layers.accounts import Composed
from spikinghash.layers.self_attention import SelfAttention
from spikinghash.methods.hybridhash.stochastic_depth import StochasticDepth

#: Of layer norms, as the published weights had it.
NORM_EPS = 1e-6
_MLP_RATIO = 4


def blockify(x: Tensor, edge: int) -> Tensor:
    """A map [B, C, H, W] -> blocks of places [B, (H / edge) * (W / edge), edge * edge, C]."""
    B, C, H, W = x.shape
    cut = x.reshape(B, C, H // edge, edge, W // edge, edge)
    return cut.permute(0, 2, 4, 3, 5, 1).reshape(B, -1, edge * edge, C)


def deblockify(x: Tensor, edge: int) -> Tensor:
    """Undo `blockify` of a square map."""
    B, blocks, _, C = x.shape
    side = round(blocks**0.5)
    cut = x.reshape(B, side, side, edge, edge, C)
    return cut.permute(0, 5, 1, 3, 2, 4).reshape(B, C, side * edge, side * edge)


class BlockLayer(Composed, nn.Module):
    """Attention and MLP, each pre-normed and residual. [B, blocks, N, C] -> the same shape."""

    def __init__(self, channels: int, heads: int, drop: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(channels, eps=NORM_EPS) for _ in range(2))
        self.attention = SelfAttention(channels, heads)
        self.mlp = nn.Sequential(
            nn.Linear(channels, _MLP_RATIO * channels), nn.GELU(), nn.Linear(_MLP_RATIO * channels, channels)
        )
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        """[B, blocks, N, C] -> the same shape."""
        within = self.attention(self.norm1(x).flatten(0, 1)).reshape(x.shape)
        x = x + self.drop(within)
        return x + self.drop(self.mlp(self.norm2(x)))


class NestedLevel(Composed, nn.Module):
    """A map [B, C, H, W] -> the same shape: position embedding, then a `BlockLayer` for each rate in `drops`."""

    def __init__(self, channels: int, heads: int, blocks: int, edge: int, drops: Sequence[float]) -> None:
        super().__init__()
        self.edge = edge
        self.place = nn.Parameter(0.02 * torch.randn(1, blocks, edge * edge, channels))
        self.layers = nn.Sequential(*(BlockLayer(channels, heads, drop) for drop in drops))

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> the same shape."""
        return deblockify(self.layers(blockify(x, self.edge) + self.place), self.edge)
