"""The feature selector: the most important original features, to restore what the narrow branch lost."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikinghash.layers.accounts import Composed


class FeatureSelector(Composed, nn.Module):
    """a = sigmoid(W_2 relu(W_1 x)); the k = D / 4 largest |a x| of each row, the rest 0; ReLU(BN(W_s .)).

    The bottleneck of the gate is D / 16 wide, at least 8, and k is at least 8, where D is. Gradients pass the selection
    as if all had been chosen.
    """

    def __init__(self, width: int, selected: int) -> None:
        super().__init__()
        narrow, self.kept = max(8, width // 16), min(width, max(8, width // 4))
        self.gate = nn.Sequential(nn.Linear(width, narrow), nn.ReLU(), nn.Linear(narrow, width))
        self.embed = nn.Sequential(nn.Linear(width, selected), nn.BatchNorm1d(selected), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """x [B, D] -> [B, selected]."""
        gated = self.gate(x).sigmoid() * x
        chosen = torch.zeros_like(gated).scatter(1, gated.detach().abs().topk(self.kept, dim=1).indices, 1.0)
        return self.embed(gated + (gated * chosen - gated).detach())
