"""What data-parallel workers share beside gradients, once an epoch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors


def averaged_buffers(module: nn.Module) -> dict[str, Tensor]:
    """Those that differ between ranks within an epoch, by name: the floating-point ones."""
    return {name: buffer for name, buffer in module.named_buffers() if buffer.dtype == torch.float32}


@torch.no_grad()
def average_buffers(module: nn.Module) -> None:
    """Give all ranks the mean of their floating-point buffers (running statistics, similarity accumulators)."""
    many = list(averaged_buffers(module).values())
    flat = _flatten_dense_tensors(many)
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    for old, new in zip(many, _unflatten_dense_tensors(flat, many), strict=True):
        old.copy_(new)
