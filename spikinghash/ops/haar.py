"""One level of the three-dimensional Haar transform with the neurons between its axes (paper eqs. 7-8)."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from spikinghash.kernels import haar as kernel
from spikinghash.kernels.simd.code import LANES
from spikinghash.ops.lif import NEURON, as_kernels_take
from spikinghash.ops.operator import array, dense, gradient, operator, saving

#: High bands of a level: all of (low, high)^3 but low-low-low.
BANDS = 7


def _split_fake(x: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    T, B, H, W, C = x.shape
    return dense(x, T // 2, B, H // 2, W // 2, C), dense(x, T // 2, BANDS, B, H // 2, W // 2, C)


def _join_shape(low: Tensor) -> tuple[int, ...]:
    T, B, H, W, C = low.shape
    return 2 * T, B, 2 * H, 2 * W, C


def has_whole_vectors(x: Tensor) -> bool:
    """Whether the kernels take x [..., C]."""
    return x.shape[-1] % LANES == 0


def _flat(x: Tensor) -> np.ndarray:
    """[..., W, C] -> [..., W * C]."""
    if not has_whole_vectors(x):
        raise ValueError(f"the kernels take a multiple of {LANES} channels, not {x.shape[-1]}; use `haar_reference`")
    return array(x).reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def _split_cpu(x: Tensor, *neuron: Any) -> tuple[Tensor, Tensor]:
    low, high = _split_fake(x)
    kernel.dwt(_flat(x), _flat(low), _flat(high), x.shape[-1], *as_kernels_take(*neuron)[:2])
    return low, high


def _join_cpu(low: Tensor, high: Tensor, *neuron: Any) -> Tensor:
    x = dense(low, *_join_shape(low))
    kernel.idwt(_flat(low), _flat(high), _flat(x), x.shape[-1], *as_kernels_take(*neuron)[:2])
    return x


def _split_backward_cpu(g_low: Tensor, g_high: Tensor, x: Tensor, *neuron: Any) -> Tensor:
    gx = dense(x)
    kernel.dwt_backward(_flat(x), _flat(g_low), _flat(g_high), _flat(gx), x.shape[-1], *as_kernels_take(*neuron))
    return gx


def _join_backward_cpu(g: Tensor, low: Tensor, high: Tensor, *neuron: Any) -> tuple[Tensor, Tensor]:
    g_low, g_high = dense(low), dense(high)
    arrays = (_flat(t) for t in (low, high, g, g_low, g_high))
    kernel.idwt_backward(*arrays, low.shape[-1], *as_kernels_take(*neuron))
    return g_low, g_high


def _split_backward(ctx: Any, g_low: Tensor, g_high: Tensor) -> tuple[Any, ...]:
    return gradient(haar_split_backward, g_low, g_high, *ctx.saved_tensors, *ctx.rest), None, None, None, None


def _join_backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    return *gradient(haar_join_backward, g, *ctx.saved_tensors, *ctx.rest), None, None, None, None


haar_split_backward = operator(
    "haar_split_backward", f"(Tensor g_low, Tensor g_high, Tensor x, {NEURON}) -> Tensor",
    cpu=_split_backward_cpu, fake=lambda gl, gh, x, *_: dense(x),
)  # fmt: skip
haar_join_backward = operator(
    "haar_join_backward", f"(Tensor g, Tensor low, Tensor high, {NEURON}) -> (Tensor, Tensor)",
    cpu=_join_backward_cpu, fake=lambda g, low, high, *_: (dense(low), dense(high)),
)  # fmt: skip
#: haar_split(x [T, B, H, W, C], *constants), T, H, W even, C a multiple of `LANES` -> low [T/2, B, H/2, W/2, C],
#: high [T/2, 7, B, H/2, W/2, C].
haar_split = operator(
    "haar_split", f"(Tensor x, {NEURON}) -> (Tensor, Tensor)", cpu=_split_cpu,
    fake=_split_fake, setup=saving(1), backward=_split_backward,
)  # fmt: skip
#: The inverse: haar_join(low, high, *constants) -> [T, B, H, W, C].
haar_join = operator(
    "haar_join", f"(Tensor low, Tensor high, {NEURON}) -> Tensor", cpu=_join_cpu,
    fake=lambda low, high, *_: dense(low, *_join_shape(low)), setup=saving(2), backward=_join_backward,
)  # fmt: skip
