"""Max pool 3 x 3, stride 2, padding 1, of channel-last images, and the affine form of a norm before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from spikinghash.kernels import pool as kernel
from spikinghash.ops.affine import affine_reference, by_line, first_row
from spikinghash.ops.lif import affine_rows
from spikinghash.ops.operator import array, dense, gradient, operator


def _shape(x: Tensor) -> tuple[int, ...]:
    *before, H, W, C = x.shape
    return *before, (H + 1) // 2, (W + 1) // 2, C


def _images(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, *x.shape[-3:])


def _cpu(x: Tensor, line: Tensor | None) -> tuple[Tensor, Tensor]:
    out, tap = _fake(x, line)
    kernel.max_pool(_images(array(x)), affine_rows(line)[:2], _images(out.numpy()), _images(tap.numpy()))
    return out, tap


def _fake(x: Tensor, line: Tensor | None) -> tuple[Tensor, Tensor]:
    return dense(x, *_shape(x)), x.new_empty(_shape(x), dtype=torch.uint8)


def _setup(ctx: Any, inputs: tuple[Tensor, Tensor | None], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs, output[1])
    ctx.mark_non_differentiable(output[1])


def _backward(ctx: Any, g: Tensor, _: Tensor) -> tuple[Tensor, Tensor | None]:
    x, line, tap = ctx.saved_tensors
    gx, g_line = gradient(max_pool_backward, g.contiguous(), x, line, tap)
    return gx, None if line is None else g_line


def _backward_cpu(g: Tensor, x: Tensor, line: Tensor | None, tap: Tensor) -> tuple[Tensor, Tensor]:
    values, out = array(x), dense(x)
    pivot, lines = first_row(values.reshape(-1, x.shape[-1])), affine_rows(line)[:2]
    total, centred = kernel.max_pool_backward(
        _images(array(g)), _images(values), _images(array(tap)), lines, pivot, _images(out.numpy())
    )
    return out, torch.empty(0, dtype=torch.float64) if line is None else by_line(total, centred, pivot)


def _backward_fake(g: Tensor, x: Tensor, line: Tensor | None, tap: Tensor) -> tuple[Tensor, Tensor]:
    return dense(x), x.new_empty(0, dtype=torch.float64) if line is None else torch.empty_like(line)


max_pool_backward = operator(
    "max_pool_backward", "(Tensor g, Tensor x, Tensor? affine, Tensor tap) -> (Tensor, Tensor)",
    cpu=_backward_cpu, fake=_backward_fake,
)  # fmt: skip
#: max_pool(x [..., H, W, C], affine float64 [2, C] or None) -> the largest x * scale + shift of each window
#: [..., H', W', C], and which of the nine inputs it was, uint8, the first of equals.
max_pool = operator(
    "max_pool", "(Tensor x, Tensor? affine) -> (Tensor, Tensor)",
    cpu=_cpu, fake=_fake, setup=_setup, backward=_backward,
)  # fmt: skip


def max_pool_reference(x: Tensor, line: Tensor | None) -> Tensor:
    """The first result of `max_pool` in plain torch."""
    images = (x if line is None else affine_reference(x, line)).flatten(0, -4).movedim(-1, 1)
    return F.max_pool2d(images, 3, 2, 1).movedim(1, -1).reshape(_shape(x))
