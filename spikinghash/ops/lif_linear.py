"""Neurons and the matrix product behind them: the spikes between the two never reach memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikinghash.kernels import lif_linear as kernel
from spikinghash.kernels import norm
from spikinghash.kernels.simd.code import LANES
from spikinghash.ops.affine import by_line, first_row
from spikinghash.ops.lif import NEURON, affine_rows, lif, lif_backward, lif_reference
from spikinghash.ops.moments import line_of, moments_reference
from spikinghash.ops.operator import array, by_channel, dense, gradient, operator

#: Values of a matrix that still fit in the second cache beside a block.
_LARGEST = 1 << 18


def _fits(weight: Tensor) -> bool:
    """Whether the fused kernel serves: whole vectors, a matrix that stays in cache."""
    K, D = weight.shape
    return D % LANES == K % LANES == 0 and weight.numel() <= _LARGEST


def _by_pixel(x: Tensor) -> np.ndarray:
    return array(x).reshape(len(x), -1, x.shape[-1])


def _cpu(x: Tensor, line: Tensor | None, weight: Tensor, *neuron: Any) -> tuple[Tensor, Tensor]:
    out = dense(x, *x.shape[:-1], len(weight))
    if _fits(weight):
        tau, v_th = (np.float32(value) for value in neuron[:2])
        found = kernel.lif_linear(_by_pixel(x), affine_rows(line), array(weight), _by_pixel(out), tau, v_th)
    else:
        torch.mm(lif(x, line, *neuron).flatten(0, -2), weight.detach().T, out=out.flatten(0, -2))
        found = norm.moments(by_channel(out.numpy()))
    return out, torch.from_numpy(found)


def _fake(x: Tensor, line: Tensor | None, weight: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    K = len(weight)
    return dense(x, *x.shape[:-1], K), x.new_empty((2, K), dtype=torch.float64)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs[:3], *output)
    ctx.neuron = inputs[3:]


def _backward(ctx: Any, g: Tensor, g_moments: Tensor) -> tuple[Any, ...]:
    x, line, *rest = ctx.saved_tensors
    gx, g_line, gw = gradient(lif_linear_backward, g.contiguous(), g_moments, x, line, *rest, *ctx.neuron)
    return gx, None if line is None else g_line, gw, None, None, None, None


def _backward_cpu(
    g: Tensor, g_moments: Tensor, x: Tensor, line: Tensor | None, weight: Tensor, y: Tensor, found: Tensor, *neuron: Any
) -> tuple[Tensor, Tensor, Tensor]:
    K, D = weight.shape
    share = line_of(array(g_moments), array(found), y.numel() // K)
    if not _fits(weight):
        return _in_parts(g, share, x, line, weight, y, neuron)
    rows, gx, gw = _by_pixel(x), dense(x), torch.zeros(D, K, dtype=torch.float32)
    pivot, constants = first_row(rows.reshape(-1, D)), tuple(np.float32(value) for value in neuron[:3])
    arrays = rows, affine_rows(line, pivot), array(weight), _by_pixel(y), _by_pixel(g), share, _by_pixel(gx)
    total, centred = kernel.lif_linear_backward(*arrays, gw.numpy(), *constants, neuron[3])
    g_line = torch.empty(0, dtype=torch.float64) if line is None else by_line(total, centred, pivot)
    return gx, g_line, gw.T.contiguous()


def _in_parts(
    g: Tensor, share: np.ndarray, x: Tensor, line: Tensor | None, weight: Tensor, y: Tensor, neuron: tuple[Any, ...]
) -> tuple[Tensor, Tensor, Tensor]:
    """The same by operators one after the other."""
    gy = dense(g).flatten(0, -2)
    norm.add_line(by_channel(array(g)), by_channel(array(y)), share, gy.numpy())
    gw = gy.T @ lif(x, line, *neuron).flatten(0, -2)
    gx, g_line = lif_backward((gy @ weight).view(x.shape), x, line, *neuron)
    return gx, g_line, gw


def _backward_fake(
    g: Tensor, g_moments: Tensor, x: Tensor, line: Tensor | None, weight: Tensor, *_: Any
) -> tuple[Tensor, Tensor, Tensor]:
    g_line = x.new_empty(0, dtype=torch.float64) if line is None else torch.empty_like(line)
    return dense(x), g_line, dense(weight)


lif_linear_backward = operator(
    "lif_linear_backward",
    f"(Tensor g, Tensor g_moments, Tensor x, Tensor? affine, Tensor weight, Tensor y, Tensor moments, {NEURON})"
    " -> (Tensor, Tensor, Tensor)",
    cpu=_backward_cpu, fake=_backward_fake,
)  # fmt: skip
#: lif_linear(x [T, ..., D], affine float64 [2, D] or None, weight [K, D], *constants) ->
#: LIF(x * scale + shift) @ weight^T [T, ..., K] and its moments [2, K].
lif_linear = operator(
    "lif_linear", f"(Tensor x, Tensor? affine, Tensor weight, {NEURON}) -> (Tensor, Tensor)",
    cpu=_cpu, fake=_fake, setup=_setup, backward=_backward,
)  # fmt: skip


def lif_linear_reference(x: Tensor, line: Tensor | None, weight: Tensor, *neuron: Any) -> tuple[Tensor, Tensor]:
    """`lif_linear` in plain torch."""
    y = lif_reference(x, line, *neuron) @ weight.T
    return y, moments_reference(y)
