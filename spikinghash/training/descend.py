"""One step down the gradient."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from spikinghash.training.adamp import FlatAdamP
from spikinghash.training.averaging import average_gradients


def descend(
    method: nn.Module,
    loss: Tensor,
    optimiser: Optimizer,
    max_norm: float,
    average: Callable[[Tensor], None] | None = None,
) -> float:
    """Gradients of `loss`, together no longer than `max_norm`, and a step; returns their length before clipping.

    `average` makes a tensor the mean of those of all workers, in place.
    """
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if isinstance(optimiser, FlatAdamP):
        return optimiser.clipped_step(max_norm, average)
    if average is not None:
        average_gradients(method.parameters(), average)
    norm = torch.nn.utils.clip_grad_norm_(method.parameters(), max_norm)
    optimiser.step()
    return float(norm)
