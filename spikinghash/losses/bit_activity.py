"""Bit activity: bits are used in both senses, decided clearly, and no pair of neurons is silent.

A reconstruction: the paper of SpikeHash (arXiv 2606.00740) names such a term and gives no equation. A margin on counts
would have no gradient, for they are integers; this one is on the drive of the neurons.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def bit_balance(scores: Tensor) -> Tensor:
    """mean_k (mean_b h)^2 of scores [B, K] in [-1, 1]: 0 where each bit is as often positive as negative."""
    return scores.mean(0).square().mean()


def drive_margin(drive: Tensor, margin: float = 0.5) -> Tensor:
    """Mean of what |drive| [B, K] lacks to `margin`."""
    return F.relu(margin - drive.abs()).mean()


def silent_pairs(fired: Tensor) -> Tensor:
    """Mean of relu(1 - fired) over counts [B, K] of the spikes of both neurons of a bit: 1 where none ever fired."""
    return F.relu(1 - fired).mean()
