"""What training workers on CPU share, by one message a step.

DDP sends the gradients of one layer while those of the next are computed. Where every core computes, that saves
nothing, and its books for each parameter cost a twentieth to a tenth of a small step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors


@torch.no_grad()
def same_start(module: nn.Module) -> nn.Module:
    """`module` with the parameters and buffers of rank 0, as DDP starts."""
    _end_to_end(module.state_dict().values(), lambda flat: torch.distributed.broadcast(flat, 0))
    return module


def mean_of_workers(values: Tensor) -> None:
    """Make `values` the mean of those of all workers, in place."""
    torch.distributed.all_reduce(values)
    values /= torch.distributed.get_world_size()


def fill_missing(parameters: Iterable[Tensor]) -> None:
    """Zeros where this worker has no gradient: another one may have one."""
    for p in parameters:
        if p.grad is None and p.requires_grad:
            p.grad = torch.zeros_like(p)


@torch.no_grad()
def average_gradients(parameters: Iterable[Tensor], average: Callable[[Tensor], None]) -> None:
    """Give every worker the mean of all workers' gradients; one that a worker lacks counts as zero."""
    many = [p for p in parameters if p.requires_grad]
    fill_missing(many)
    gradients = [p.grad for p in many if p.grad is not None]
    flat = _flatten_dense_tensors(gradients)
    average(flat)
    for p, own in zip(many, _unflatten_dense_tensors(flat, gradients), strict=True):
        p.grad = own


@torch.no_grad()
def average_buffers(module: nn.Module, average: Callable[[Tensor], None] = mean_of_workers) -> None:
    """Give all ranks the mean of their floating-point buffers (running statistics, similarity accumulators)."""
    _end_to_end((buffer for buffer in module.buffers() if buffer.is_floating_point()), average)


def _end_to_end(tensors: Iterable[Tensor], do: Callable[[Tensor], object]) -> None:
    """`do` what changes a tensor in place to all of `tensors` as one, a message for each type of number."""
    by_type: dict[torch.dtype, list[Tensor]] = {}
    for values in tensors:
        by_type.setdefault(values.dtype, []).append(values)
    for many in by_type.values():
        flat = _flatten_dense_tensors(many)
        do(flat)
        for old, new in zip(many, _unflatten_dense_tensors(flat, many), strict=True):
            old.copy_(new)
