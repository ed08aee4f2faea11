"""The hash layer of HybridHash, which holds the last interaction."""

from __future__ import annotations

from torch import Tensor, nn

from spikinghash.layers.accounts import Composed
from spikinghash.methods.hybridhash.interaction import BlockAttention


class HashHead(Composed, nn.Module):
    """A map [B, C, H, W] of one block -> h [B, K] in (-1, 1).

    1x3 and 3x1 convolutions and attention over blocks are summed, pooled, brought to K channels and averaged. With one
    block there is one token, and attention over it is a linear map of the mean. Without `interacts` it is left out.
    """

    def __init__(self, channels: int, bits: int, blocks: int, edge: int, *, interacts: bool) -> None:
        super().__init__()
        self.local = nn.Sequential(
            nn.Conv2d(channels, channels, (1, 3), padding=(0, 1)), nn.Conv2d(channels, channels, (3, 1), padding=(1, 0))
        )
        self.across = BlockAttention(channels, blocks, edge) if interacts else None
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.project = nn.Conv2d(channels, bits, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, K]."""
        y = self.local(x)
        if self.across is not None:
            y = y + self.across(x)
        h: Tensor = self.project(self.pool(y)).mean((2, 3)).tanh()
        return h
