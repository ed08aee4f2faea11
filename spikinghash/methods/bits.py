"""What hashing gives: bits, and how near the nearest of them is to its threshold."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Bits(NamedTuple):
    """`bits` [B, K] uint8 of 0 and 1; `margin` [B] float32, the smallest distance of a score to its threshold."""

    bits: Tensor
    margin: Tensor


def signs(score: Tensor) -> Bits:
    """Scores [B, K] -> a bit is 1 where its score is above 0; a score of 0 gives 0."""
    seen = score.detach()
    return Bits((seen > 0).to(torch.uint8), seen.abs().amin(1).float())
