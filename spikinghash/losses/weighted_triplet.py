"""The cosine triplet loss weighted by shared labels (Bai et al., "Deep Adversarial Discrete Hashing", ICMR 2020)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def label_gain(targets: Tensor) -> Tensor:
    """q [B, B] of `targets` [B, C] in {0, 1}: (2^rel - 1) of each pair by the ideal DCG of its row, 0 where nothing
    is shared.
    """
    gain = torch.exp2(targets @ targets.T) - 1
    discount = torch.log2(torch.arange(2, len(targets) + 2, device=targets.device, dtype=gain.dtype))
    ideal = (gain.sort(dim=1, descending=True).values / discount).sum(1, keepdim=True)
    return gain / ideal.clamp_min(torch.finfo(gain.dtype).tiny)


def weighted_triplet(
    a: Tensor, b: Tensor, targets: Tensor, *, within: bool, margin: float = 0.4, weighted: bool = True
) -> Tensor:
    """Anchors `a` [B, K] against `b` [B, K]: mean over active (i, j, k) of w * (d(a_i, b_j) - d(a_i, b_k) + margin).

    d is 1 - cosine; j shares a label with i, k is another row and does not; w is 10 times `label_gain` of (i, j), or 1.
    A triplet is active where that is above 0; without any the loss is 0. `within` one modality a row is no positive of
    itself.
    """
    distance = 1 - F.normalize(a) @ F.normalize(b).T
    gain = label_gain(targets)
    shared, own = gain > 0, torch.eye(len(a), dtype=torch.bool, device=a.device)
    positive = shared & ~own if within else shared
    weight = 10 * gain if weighted else torch.ones_like(gain)
    hinge = F.relu(distance[:, :, None] - distance[:, None, :] + margin) * weight[:, :, None]
    hinge = hinge * (positive[:, :, None] & ~(shared | own)[:, None, :])
    return hinge.sum() / (hinge.detach() > 0).sum().clamp_min(1)
