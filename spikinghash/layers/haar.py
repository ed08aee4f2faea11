"""Three-dimensional Haar transform with spiking neurons between the axes (paper eqs. 7-8).

Arrays are channel last: x[T, B, H, W, C]. One axis at a time, pairs (2n, 2n+1) become
low = (a + b) / sqrt 2 and high = (a - b) / sqrt 2, stacked in a new second dimension of size 2. The transform is
orthogonal, so the gradient of either direction is the other one.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import torch
from torch import Tensor

_R = 1.0 / math.sqrt(2.0)

#: Band order of the seven high bands for axes (T, H, W), and of the low band in front.
BANDS = ("LLL", "LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH")


class Neuron(Protocol):
    """Anything that maps [T, ...] to the same shape: a spiking layer, or the identity."""

    def __call__(self, x: Tensor) -> Tensor: ...


def identity(x: Tensor) -> Tensor:
    """No neuron: with it the inverse transform reconstructs perfectly."""
    return x


def _analyse(x: Tensor) -> Tensor:
    """[T, G, 2, R] -> [T, 2, G, R]."""
    out = x.new_empty(x.shape[0], 2, x.shape[1], x.shape[3])
    a, b = x[:, :, 0], x[:, :, 1]
    torch.add(a, b, out=out[:, 0])
    torch.sub(a, b, out=out[:, 1])
    return out.mul_(_R)


def _synthesise(y: Tensor) -> Tensor:
    """[T, 2, G, R] -> [T, G, 2, R]."""
    out = y.new_empty(y.shape[0], y.shape[2], 2, y.shape[3])
    low, high = y[:, 0], y[:, 1]
    torch.add(low, high, out=out[:, :, 0])
    torch.sub(low, high, out=out[:, :, 1])
    return out.mul_(_R)


class _Analysis(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _analyse(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return _synthesise(grad)


class _Synthesis(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        return _synthesise(y)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return _analyse(grad)


def _groups(shape: tuple[int, ...], axis: int) -> tuple[int, int, int, int]:
    """How [T, B, H, W, C] is read as [T', G, 2, R] for a transform along `axis` (0 = T, 2 = H, 3 = W)."""
    if axis == 0:
        return shape[0] // 2, 1, 2, math.prod(shape[1:])
    before, after = math.prod(shape[1:axis]), math.prod(shape[axis + 1 :])
    return shape[0], before * (shape[axis] // 2), 2, after


def analyse_axis(x: Tensor, axis: int) -> Tensor:
    """One axis (2 = H, 3 = W) of x [T, B, H, W, C] -> [T, 2, B, ...], that axis halved; low first."""
    shape = list(x.shape)
    shape[axis] //= 2
    return _Analysis.apply(x.reshape(_groups(tuple(x.shape), axis))).reshape(shape[0], 2, *shape[1:])


def synthesise_axis(y: Tensor, axis: int) -> Tensor:
    """Inverse of `analyse_axis`: [T, 2, B, H, W, C] -> [T, B, H, W, C] with `axis` doubled."""
    shape = [y.shape[0], *y.shape[2:]]
    groups, after = math.prod(shape[1 : axis + 1]), math.prod(shape[axis + 1 :])
    shape[axis] *= 2
    return _Synthesis.apply(y.reshape(y.shape[0], 2, groups, after)).reshape(shape)


def dwt3(x: Tensor, neuron: Neuron = identity) -> Tensor:
    """One level along T, H, W with `neuron` after the first and second axis (eq. 8).

    x [T, B, H, W, C] -> [T/2, 8, B, H/2, W/2, C], bands in the order of `BANDS`. T, H, W must be even.
    """
    T, B, H, W, C = x.shape
    y = _Analysis.apply(x.reshape(_groups((T, B, H, W, C), 0))).reshape(T // 2, 2 * B, H, W, C)
    y = neuron(y)
    y = _Analysis.apply(y.reshape(_groups(tuple(y.shape), 2))).reshape(T // 2, 4 * B, H // 2, W, C)
    y = neuron(y)
    y = _Analysis.apply(y.reshape(_groups(tuple(y.shape), 3)))
    # stacked as (w, h, t); the published order is (t, h, w)
    y = y.reshape(T // 2, 2, 2, 2, B, H // 2, W // 2, C).permute(0, 3, 2, 1, 4, 5, 6, 7)
    return y.reshape(T // 2, 8, B, H // 2, W // 2, C)


def idwt3(bands: Tensor, neuron: Neuron = identity) -> Tensor:
    """Inverse of `dwt3`: axes W, H, T, `neuron` after the first and second.

    [T/2, 8, B, H/2, W/2, C] -> [T, B, H, W, C]. Exact only with `identity`;
    where to put the neurons in the inverse is a reconstruction, the paper is silent.
    """
    T2, _, B, H2, W2, C = bands.shape
    y = bands.reshape(T2, 2, 2, 2, B, H2, W2, C).permute(0, 3, 2, 1, 4, 5, 6, 7)
    y = _Synthesis.apply(y.reshape(T2, 2, 4 * B * H2 * W2, C)).reshape(T2, 4 * B, H2, 2 * W2, C)
    y = neuron(y)
    y = _Synthesis.apply(y.reshape(T2, 2, 2 * B * H2, 2 * W2 * C)).reshape(T2, 2 * B, 2 * H2, 2 * W2, C)
    y = neuron(y)
    y = _Synthesis.apply(y.reshape(T2, 2, 1, B * 4 * H2 * W2 * C))
    return y.reshape(2 * T2, B, 2 * H2, 2 * W2, C)
