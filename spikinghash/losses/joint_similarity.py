"""Codes of one input are as alike as whole pairs are: similarities of both inputs together teach those of each alone.

The joint similarity is that of Su, Zhong and Zhang, "Deep Joint-Semantics Reconstructing Hashing", ICCV 2019, section
3.2; here it is reconstructed as a distribution over the other rows of the batch, which leaves scale and offset free.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F


def joint_similarity(features: Iterable[Tensor]) -> Tensor:
    """Mean over inputs of the cosines of their rows, features [B, D] of any width each -> [B, B], without gradient."""
    rows = [F.normalize(x.detach()) for x in features]
    return torch.stack([x @ x.T for x in rows]).mean(0)


def similarity_distillation(a: Tensor, b: Tensor, similarity: Tensor, temperature: float) -> Tensor:
    """Mean over rows of KL(softmax(S / t) | softmax(cos(a_i, b_j) / t)); `a`, `b` [B, K], `similarity` S [B, B]."""
    target = (similarity / temperature).log_softmax(1)
    seen = (F.normalize(a) @ F.normalize(b).T / temperature).log_softmax(1)
    return F.kl_div(seen, target, reduction="batchmean", log_target=True)
