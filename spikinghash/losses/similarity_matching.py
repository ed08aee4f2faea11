"""Codes of one input are as alike as a teacher finds whole pairs.

The reconstruction term of Su, Zhong and Zhang, "Deep Joint-Semantics Reconstructing Hashing", ICCV 2019, eq. 6.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def cosines(a: Tensor, b: Tensor) -> Tensor:
    """Cosine of each row of `a` with each of `b`, [B, K] -> [B, B]."""
    return F.normalize(a) @ F.normalize(b).T


def similarity_matching(a: Tensor, b: Tensor, similarity: Tensor) -> Tensor:
    """Mean over pairs of (cos(a_i, b_j) - S_ij)^2; `a`, `b` [B, K], `similarity` S [B, B] in [-1, 1]."""
    return (cosines(a, b) - similarity).square().mean()
