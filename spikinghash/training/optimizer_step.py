"""One step down the gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer


def optimizer_step(method: nn.Module, loss: Tensor, optimiser: Optimizer, max_norm: float) -> float:
    """Gradients of `loss`, together no longer than `max_norm`, and a step; returns their length before clipping."""
    return accumulated_step(method, [lambda: loss], optimiser, max_norm)


def accumulated_step(
    method: nn.Module, losses: Sequence[Callable[[], Tensor]], optimiser: Optimizer, max_norm: float
) -> float:
    """As `optimizer_step` for the mean of `losses`: one graph at a time is in memory.

    Each is computed and differentiated before the next; workers under DDP share the sum of the gradients once.
    """
    optimiser.zero_grad(set_to_none=True)
    for number, loss in enumerate(losses, 1):
        last = number == len(losses)
        with method.no_sync() if isinstance(method, DistributedDataParallel) and not last else nullcontext():
            value = loss()
            (value / len(losses) if len(losses) > 1 else value).backward()
    # as listed by the optimiser: to walk through all modules for them takes as long as to clip them
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm)
    optimiser.step()
    return float(norm)
