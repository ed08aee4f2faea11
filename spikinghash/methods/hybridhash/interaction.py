"""The interaction module: what is between two levels, where blocks hear of one another."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikinghash.layers.accounts import Composed
from spikinghash.layers.self_attention import SelfAttention
from spikinghash.methods.hybridhash.nested_level import NORM_EPS
from spikinghash.methods.hybridhash.options import TOKEN_HEADS


class BlockAttention(Composed, nn.Module):
    """Attention over one token a block, the mean of its places: what a block hears, at all of its places.

    A map [B, C, H, W] of `blocks` blocks of `edge` x `edge` -> the same shape, bilinear between blocks.
    """

    def __init__(self, channels: int, blocks: int, edge: int) -> None:
        super().__init__()
        self.edge = edge
        self.place = nn.Parameter(torch.zeros(1, blocks, channels))
        self.attention = SelfAttention(channels, TOKEN_HEADS)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> the same shape."""
        means = F.avg_pool2d(x, self.edge)
        heard = self.attention(means.flatten(2).transpose(1, 2) + self.place)
        grid = heard.transpose(1, 2).reshape(means.shape)
        return F.interpolate(grid, scale_factor=float(self.edge), mode="bilinear", align_corners=False)


class Interaction(Composed, nn.Module):
    """A map [B, C, H, W] -> [B, C', H / 2, W / 2]: a 3x3 convolution and attention over blocks, summed, normed, pooled.

    Without `interacts` the 1x1 convolution that widens channels is all that is left of both.
    """

    def __init__(self, channels: int, out: int, blocks: int, edge: int, *, interacts: bool) -> None:
        super().__init__()
        self.local = nn.Conv2d(channels, out, 3, padding=1) if interacts else None
        self.widen = nn.Conv2d(channels, out, 1, bias=False)
        self.across = BlockAttention(out, blocks, edge) if interacts else None
        self.norm = nn.LayerNorm(out, eps=NORM_EPS)
        self.pool = nn.MaxPool2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C', H / 2, W / 2]."""
        y = self.widen(x)
        if self.local is not None and self.across is not None:
            y = self.local(x) + self.across(y)
        normed = self.norm(y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        out: Tensor = self.pool(normed)
        return out
