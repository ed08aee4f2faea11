"""What a network says of samples when it hashes them."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Bits(NamedTuple):
    """Codes `bits` [B, K] uint8 of 0 and 1, and the smallest `margin` [B] float32 by which a bit was decided."""

    bits: Tensor
    margin: Tensor
