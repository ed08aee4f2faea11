"""x * scale + shift by channel, each operation rounded on its own, so that a value does not depend on its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikinghash.kernels import norm
from spikinghash.ops.operator import array, by_channel, dense, gradient, operator


def _cpu(x: Tensor, line: Tensor) -> Tensor:
    out, (scale, shift) = dense(x), array(line).astype(np.float32)
    norm.affine(by_channel(array(x)), scale, shift, by_channel(out.numpy()))
    return out


def _setup(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
    gx, g_line = gradient(affine_backward, g.contiguous(), *ctx.saved_tensors)
    return gx, g_line


def first_row(rows: np.ndarray) -> np.ndarray:
    """A pivot [C] near the mean of rows [R, C], for sums that stay small."""
    pivot: np.ndarray = rows[0].copy() if len(rows) else np.zeros(rows.shape[1], np.float32)
    return pivot


def by_line(total: np.ndarray, centred: np.ndarray, pivot: np.ndarray) -> Tensor:
    """The gradient [2, C] of (scale, shift) from the sums [C] of g and of g * (x - pivot)."""
    return torch.from_numpy(np.stack((centred + pivot * total, total)))


def _backward_cpu(g: Tensor, x: Tensor, line: Tensor) -> tuple[Tensor, Tensor]:
    given, rows, out = by_channel(array(g)), by_channel(array(x)), dense(x)
    pivot, scale = first_row(rows), array(line)[0].astype(np.float32)
    total, centred = norm.affine_backward(given, rows, scale, pivot, by_channel(out.numpy()))
    return out, by_line(total, centred, pivot)


affine_backward = operator(
    "affine_backward", "(Tensor g, Tensor x, Tensor affine) -> (Tensor, Tensor)",
    cpu=_backward_cpu, fake=lambda g, x, line: (dense(x), torch.empty_like(line)),
)  # fmt: skip
#: affine(x [..., C], affine float64 [2, C]) -> [..., C].
affine = operator(
    "affine", "(Tensor x, Tensor affine) -> Tensor",
    cpu=_cpu, fake=lambda x, line: dense(x), setup=_setup, backward=_backward,
)  # fmt: skip


def affine_reference(x: Tensor, line: Tensor) -> Tensor:
    """`affine` in plain torch."""
    scale, shift = line.float()
    return x * scale + shift
