"""The relation network: how alike two hash outputs are, learnt (Sung et al., CVPR 2018); needed in training alone."""

from __future__ import annotations

from torch import Tensor, nn


class RelationNetwork(nn.Module):
    """r_ij = sigmoid(RN([a_i; b_j])), RN: 2K -> H -> H -> 1 with batch norm and ReLU.

    Its first layer is a sum, W [a; b] = W_a a + W_b b: computed for rows, not for pairs.
    """

    def __init__(self, bits: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(bits, hidden, bias=False)
        self.second = nn.Linear(bits, hidden)
        self.rest = nn.Sequential(
            nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b [B, K] -> r [B, B]."""
        pairs = self.first(a)[:, None] + self.second(b)[None]
        return self.rest(pairs.flatten(0, 1)).view(len(a), len(b))
