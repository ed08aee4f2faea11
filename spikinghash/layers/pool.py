"""The network's max pool, 3 x 3 with stride 2 and padding 1, with a fused kernel on CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers.fused import runs_fused
from spikinghash.layers.pool_kernel import max_pool, max_pool_backward
from spikinghash.layers.program import Step, plain

_NO_TAPS = np.empty((0, 0, 0, 0), np.uint8)


class _Pool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        out = _empty(x)
        tap = np.zeros(out.shape, np.uint8)
        max_pool(x.detach().numpy(), out.numpy(), tap)
        ctx.tap, ctx.shape = tap, x.shape
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        out = grad.new_empty(ctx.shape)
        max_pool_backward(grad.contiguous().numpy(), ctx.tap, out.numpy())
        return out


def _empty(x: Tensor) -> Tensor:
    N, H, W, C = x.shape
    return x.new_empty(N, (H + 1) // 2, (W + 1) // 2, C)


def is_plain_pool(layer: nn.Module) -> bool:
    """Whether `layer` is the pool of this module and nobody watches it."""
    return (
        isinstance(layer, nn.MaxPool2d)
        and (layer.kernel_size, layer.stride, layer.padding, layer.dilation) == (3, 2, 1, 1)
        and not (layer.ceil_mode or layer.return_indices or layer._forward_hooks)
    )


def compiled_pool(layer: nn.Module) -> Step:
    """`layer` in inference on arrays [T, B, H, W, C] -> [T, B, H', W', C]."""
    if not is_plain_pool(layer):
        return plain(lambda x: layer(x.flatten(0, 1)).unflatten(0, x.shape[:2]))

    def run(x: np.ndarray) -> np.ndarray:
        T, B, H, W, C = x.shape
        out = np.empty((T, B, (H + 1) // 2, (W + 1) // 2, C), np.float32)
        max_pool(x.reshape(-1, H, W, C), out.reshape(-1, *out.shape[2:]), _NO_TAPS)
        return out

    return run


def pool(layer: nn.Module, x: Tensor) -> Tensor:
    """[N, C, H, W] in channels-last memory -> [N, C, H', W'], likewise."""
    if not runs_fused(x):
        return layer(x)
    rows = x.movedim(1, -1)
    if torch.is_grad_enabled() and x.requires_grad:
        pooled: Tensor = _Pool.apply(rows)
    else:
        pooled = _empty(rows)
        max_pool(rows.detach().numpy(), pooled.numpy(), _NO_TAPS)
    return pooled.movedim(-1, 1)
