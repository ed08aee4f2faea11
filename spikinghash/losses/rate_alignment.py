"""Spike rate alignment: both inputs of a pair fire alike.

A reconstruction: the paper of SpikeHash (arXiv 2606.00740) names such a term and gives no equation.
"""

from __future__ import annotations

from torch import Tensor


def rate_alignment(a: Tensor, b: Tensor) -> Tensor:
    """Mean over pairs and channels of (r^a - r^b)^2, firing rates `a`, `b` [B, D] in [0, 1]."""
    return (a - b).square().mean()
