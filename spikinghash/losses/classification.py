"""Classification of hashed clips (eq. 23)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def classification(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy, eq. 23; `smoothing` 0.1 in the released run. Logits [B, classes], labels [B]."""
    return F.cross_entropy(logits, labels, label_smoothing=smoothing)
