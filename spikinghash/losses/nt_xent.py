"""The contrastive loss of pairs in a batch (Chen et al., "SimCLR", ICML 2020, eq. 1)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def nt_xent(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Mean over all 2B rows of -log softmax of the partner's cosine, against all other rows of both sides.

    `a`, `b` [B, K]: row i of one belongs to row i of the other. A row of zeros has cosine 0 with all others.
    """
    rows = F.normalize(torch.cat([a, b]))
    own = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    logits = (rows @ rows.T / temperature).masked_fill(own, -torch.inf)
    return F.cross_entropy(logits, torch.arange(len(rows), device=rows.device).roll(len(a)))
