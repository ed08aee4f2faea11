"""One step down the gradient."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def optimizer_step(method: nn.Module, loss: Tensor, optimiser: Optimizer, max_norm: float) -> float:
    """Gradients of `loss`, together no longer than `max_norm`, and a step; returns their length before clipping."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(method.parameters(), max_norm)
    optimiser.step()
    return float(norm)
