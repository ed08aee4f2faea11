"""Neurons and the matrix product behind them: the spikes between the two never reach memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikinghash.kernels import lif_linear as kernel
from spikinghash.kernels import norm as norms
from spikinghash.kernels.simd.code import LANES
from spikinghash.ops.batch_norm import NORM, affine_form, norm_backward, norm_fake, of_norm
from spikinghash.ops.conv import with_zero_row
from spikinghash.ops.lif import NEURON, as_kernels_take, lif, lif_backward, lif_reference
from spikinghash.ops.moments import moments_reference
from spikinghash.ops.operator import array, by_channel, dense, gradient, operator

#: Values of a matrix that still fit in the second cache beside a block.
_LARGEST = 1 << 18


def _fits(matrix: Tensor) -> bool:
    """Whether the fused kernel serves: whole vectors, a matrix that stays in cache."""
    K, D = matrix.shape
    return D % LANES == K % LANES == 0 and matrix.numel() <= _LARGEST


def _by_pixel(x: Tensor) -> np.ndarray:
    return array(x).reshape(len(x), -1, x.shape[-1])


def _cpu(x: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    norm, matrix, neuron = rest[:4], rest[4], rest[5:]
    out = dense(x, *x.shape[:-1], len(matrix))
    if _fits(matrix):
        arrays = _by_pixel(x), affine_form(x.shape[-1], *norm), with_zero_row(array(matrix).T), _by_pixel(out)
        found = kernel.lif_linear(*arrays, *as_kernels_take(*neuron)[:2])
    else:
        torch.mm(lif(x, *norm, *neuron).flatten(0, -2), matrix.detach().T, out=out.flatten(0, -2))
        found = norms.moments(by_channel(out.numpy()))
    return out, torch.from_numpy(found)


def _fake(x: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    K = len(rest[4])
    return dense(x, *x.shape[:-1], K), x.new_empty((2, K), dtype=torch.float64)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    x, moments, weight, bias, eps, matrix, *neuron = inputs
    ctx.save_for_backward(x, moments, weight, bias, matrix, *output)
    ctx.eps, ctx.neuron = eps, neuron


def _backward(ctx: Any, g: Tensor, g_moments: Tensor) -> tuple[Any, ...]:
    x, *norm, matrix, y, found = ctx.saved_tensors
    inputs = g.contiguous(), g_moments, y, found, x, *norm, ctx.eps, matrix, *ctx.neuron
    gx, *by_norm, gw = gradient(lif_linear_backward, *inputs)
    return gx, *of_norm(norm, by_norm), gw, None, None, None, None


def _backward_cpu(g: Tensor, g_moments: Tensor, y: Tensor, found: Tensor, x: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    norm, matrix, neuron = rest[:4], rest[4], rest[5:]
    K, D = matrix.shape
    share = norms.moments_backward(array(g_moments), array(found), y.numel() // K)
    if not _fits(matrix):
        return _in_parts(g, share, y, x, norm, matrix, neuron)
    form, gx, gw = affine_form(D, *norm), dense(x), torch.zeros(D, K, dtype=torch.float32)
    arrays = _by_pixel(x), form, array(matrix), _by_pixel(y), _by_pixel(g), share, _by_pixel(gx)
    sums = kernel.lif_linear_backward(*arrays, gw.numpy(), *as_kernels_take(*neuron))
    return gx, *norm_backward(norm, form, sums), gw.T.contiguous()


def _in_parts(
    g: Tensor, share: np.ndarray, y: Tensor, x: Tensor, norm: Any, matrix: Tensor, neuron: tuple[Any, ...]
) -> tuple[Tensor, ...]:
    """The same by operators one after the other."""
    gy = dense(g).flatten(0, -2)
    norms.add_line(by_channel(array(g)), by_channel(array(y)), share, gy.numpy())
    gw = gy.T @ lif(x, *norm, *neuron).flatten(0, -2)
    return *lif_backward((gy @ matrix).view(x.shape), x, *norm, *neuron), gw


lif_linear_backward = operator(
    "lif_linear_backward",
    f"(Tensor g, Tensor g_moments, Tensor y, Tensor found, Tensor x, {NORM}, Tensor matrix, {NEURON})"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
    cpu=_backward_cpu, fake=lambda g, gm, y, found, x, *rest: (dense(x), *norm_fake(x, *rest), dense(rest[4])),
)  # fmt: skip
#: lif_linear(x [T, ..., D], *norm of D or `NO_NORM`, matrix [K, D], *constants) ->
#: LIF(norm(x)) @ matrix^T [T, ..., K] and its moments [2, K].
lif_linear = operator(
    "lif_linear", f"(Tensor x, {NORM}, Tensor matrix, {NEURON}) -> (Tensor, Tensor)",
    cpu=_cpu, fake=_fake, setup=_setup, backward=_backward,
)  # fmt: skip


def lif_linear_reference(x: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    """`lif_linear` in plain torch."""
    y = lif_reference(x, *rest[:4], *rest[5:]) @ rest[4].T
    return y, moments_reference(y)
