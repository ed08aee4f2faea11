"""The likelihood of pair similarities (eq. 22), and the similarity of labels alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def pairwise_likelihood(codes: Tensor, similarity: Tensor, *, same: Tensor | None = None) -> Tensor:
    """Negative log-likelihood of pair similarities, eq. 22, as a mean over pairs i < j.

    `codes` [B, K] in {-1, +1}; `similarity` [B, B] in [0, 1], the m'_ij. With Omega_ij = <b_i, b_j> / 2 the term is
    softplus(Omega) - m' * Omega; softplus because log(1 + exp) overflows float32 from 177 bits on. The sum over i = j
    is left out: it is a constant that would dwarf everything else.

    `same` [B, B] boolean: balance similar against dissimilar pairs (weights S/S1 and S/S0, HashNet's), as released;
    None gives every pair weight one.
    """
    omega = 0.5 * codes @ codes.T
    return (_pair_weights(codes, same) * (F.softplus(omega) - similarity * omega)).sum()


def _pair_weights(codes: Tensor, same: Tensor | None) -> Tensor:
    """The share [B, B] of every pair i < j in the loss, zero elsewhere."""
    B = codes.shape[0]
    pairs = torch.ones(B, B, dtype=codes.dtype, device=codes.device).triu_(1)
    if same is None:
        return pairs / max(1, B * (B - 1) // 2)
    positive = pairs * same
    negative = pairs - positive
    return positive / positive.sum().clamp_(min=1) + negative / negative.sum().clamp_(min=1)


def hard_similarity(labels: Tensor) -> Tensor:
    """S_hard of a batch: [B] integer labels -> [B, B], 1 where the class is the same."""
    return (labels[:, None] == labels[None, :]).float()
