"""How often each bit is 1 over the training clips: kept in the model's description, for later nights to drift from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

KEY = "bit_ones"


def share_of_ones(bits: Tensor) -> list[float]:
    """Bits [N, K] in {0, 1} -> share of ones per bit, K numbers of six digits."""
    return [round(share, 6) for share in bits.double().mean(0).tolist()]


def trained_ones(card: dict[str, Any], bits: int) -> NDArray[np.float64] | None:
    """The shares [K] in a model's description; None for a model that was trained before they were kept."""
    training = card.get("training")
    shares = training.get(KEY) if isinstance(training, dict) else None
    if not isinstance(shares, list) or len(shares) != bits:
        return None
    if not all(isinstance(share, int | float) and 0 <= share <= 1 for share in shares):
        return None
    return np.array(shares, dtype=np.float64)
