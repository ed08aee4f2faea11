"""Stochastic depth (Huang et al., ECCV 2016): while training, some samples skip a branch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikinghash.layers.accounts import Composed


class StochasticDepth(Composed, nn.Module):
    """A branch [B, ...] is 0 for about a share `rate` of the samples and 1 / (1 - rate) times itself for the others;
    in inference it is itself.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """[B, ...] -> the same shape."""
        if not self.training or self.rate == 0:
            return branch
        shape = len(branch), *[1] * (branch.dim() - 1)
        kept = torch.rand(shape, device=branch.device) >= self.rate
        return branch * kept.to(branch.dtype) / (1 - self.rate)
