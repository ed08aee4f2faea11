"""Max pool 3 x 3, stride 2, padding 1, of channel-last images, and a norm before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from spikinghash.kernels import pool as kernel
from spikinghash.ops.batch_norm import NORM, affine_form, batch_norm_reference, norm_backward, norm_fake, of_norm
from spikinghash.ops.operator import array, dense, gradient, operator


def _shape(x: Tensor) -> tuple[int, ...]:
    *before, H, W, C = x.shape
    return *before, (H + 1) // 2, (W + 1) // 2, C


def _images(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, *x.shape[-3:])


def _cpu(x: Tensor, *norm: Any) -> tuple[Tensor, Tensor]:
    out, tap = _fake(x)
    kernel.max_pool(_images(array(x)), affine_form(x.shape[-1], *norm), _images(out.numpy()), _images(tap.numpy()))
    return out, tap


def _fake(x: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    return dense(x, *_shape(x)), x.new_empty(_shape(x), dtype=torch.uint8)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs[:4], output[1])
    ctx.mark_non_differentiable(output[1])
    ctx.eps = inputs[4]


def _backward(ctx: Any, g: Tensor, _: Tensor) -> tuple[Any, ...]:
    x, *norm, tap = ctx.saved_tensors
    gx, *by_norm = gradient(max_pool_backward, g.contiguous(), tap, x, *norm, ctx.eps)
    return gx, *of_norm(norm, by_norm)


def _backward_cpu(g: Tensor, tap: Tensor, x: Tensor, *norm: Any) -> tuple[Tensor, ...]:
    out, form = dense(x), affine_form(x.shape[-1], *norm)
    arrays = (_images(array(t)) for t in (g, x, tap))
    sums = kernel.max_pool_backward(*arrays, form, _images(out.numpy()))
    return out, *norm_backward(norm, form, sums)


max_pool_backward = operator(
    "max_pool_backward", f"(Tensor g, Tensor tap, Tensor x, {NORM}) -> (Tensor, Tensor, Tensor, Tensor)",
    cpu=_backward_cpu, fake=lambda g, tap, x, *norm: (dense(x), *norm_fake(x, *norm)),
)  # fmt: skip
#: max_pool(x [..., H, W, C], *norm of C or `NO_NORM`) -> the largest norm(x) of each window [..., H', W', C], and which
#: of the nine inputs it was, uint8, the first of equals.
max_pool = operator(
    "max_pool", f"(Tensor x, {NORM}) -> (Tensor, Tensor)", cpu=_cpu, fake=_fake, setup=_setup, backward=_backward
)


def max_pool_reference(x: Tensor, *norm: Any) -> Tensor:
    """The first result of `max_pool` in plain torch."""
    images = batch_norm_reference(x, *norm).flatten(0, -4).movedim(-1, 1)
    return F.max_pool2d(images, 3, 2, 1).movedim(1, -1).reshape(_shape(x))
