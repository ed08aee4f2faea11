"""What a relation network is asked for (Sung et al., "Learning to Compare", CVPR 2018, eq. 2)."""

from __future__ import annotations

from torch import Tensor


def shares_label(targets: Tensor) -> Tensor:
    """S [B, B] of `targets` [B, C] in {0, 1}: 1 where two rows share a label."""
    return (targets @ targets.T > 0).to(targets.dtype)


def relation(scores: Tensor, similarity: Tensor) -> Tensor:
    """Mean over pairs of (r - S)^2, both [B, B] in [0, 1]."""
    return (scores - similarity).square().mean()
