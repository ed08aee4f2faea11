"""Quantisation: both inputs of a pair lie near one and the same code."""

from __future__ import annotations

import torch
from torch import Tensor


def quantisation(a: Tensor, b: Tensor) -> Tensor:
    """Mean over rows and bits of (a - c)^2 + (b - c)^2; c is sign(a + b) without gradient, -1 at 0; `a`, `b` [B, K]."""
    code = torch.where((a + b).detach() > 0, 1.0, -1.0).to(a.dtype)
    return ((a - code).square() + (b - code).square()).mean()
