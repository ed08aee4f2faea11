"""Weighted maximum likelihood against remembered codes (HashNet, Cao et al., ICCV 2017, eq. 4; as in HybridHash)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def weighted_maximum_likelihood(
    scores: Tensor, targets: Tensor, bank: Tensor, bank_targets: Tensor, alpha: float = 0.5
) -> Tensor:
    """`scores` u [B, K] with `targets` [B, C] against a `bank` U [M, K] with `bank_targets` [M, C], 1 for each class.

    With theta_ij = alpha <u_i, U_j>, and s_ij = 1 where i and j have a class in common, a pair is
    l = softplus(theta) - s theta. (S / S1 sum_{s=1} l + S / S0 sum_{s=0} l) / S is the mean over similar pairs and the
    mean over the others, added; of a kind that has no pairs it is 0. In float32, autocast or not.
    """
    with torch.autocast(scores.device.type, enabled=False):
        theta = alpha * scores.float() @ bank.float().T
        similar = targets.float() @ bank_targets.float().T > 0
        return _mean(F.softplus(-theta), similar) + _mean(F.softplus(theta), ~similar)


def _mean(terms: Tensor, chosen: Tensor) -> Tensor:
    """Mean of `terms` [B, M] where `chosen`, 0 where nothing is."""
    return (terms * chosen).sum() / chosen.sum().clamp_min(1)
