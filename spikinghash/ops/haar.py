"""One level of the three-dimensional Haar transform with the neurons between its axes (paper eqs. 7-8)."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from spikinghash.kernels import haar as kernel
from spikinghash.kernels.simd.rows import LANES
from spikinghash.ops.lif import NEURON
from spikinghash.ops.operator import array, dense, gradient, operator

#: High bands of a level: all of (low, high)^3 but low-low-low.
BANDS = 7


def _split_shapes(x: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    T, B, H, W, C = x.shape
    return (T // 2, B, H // 2, W // 2, C), (T // 2, BANDS, B, H // 2, W // 2, C)


def _join_shape(low: Tensor) -> tuple[int, ...]:
    T, B, H, W, C = low.shape
    return 2 * T, B, 2 * H, 2 * W, C


def _rows(x: np.ndarray) -> np.ndarray:
    """[..., W, C] -> [..., W * C]."""
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def _flat(x: Tensor) -> np.ndarray:
    """[..., W, C] -> [..., W * C], C zero-padded to a multiple of the SIMD width."""
    missing = -x.shape[-1] % LANES
    return _rows(array(F.pad(x.detach(), (0, missing)) if missing else x))


class _Results:
    """Room for results of C channels, which kernels write in whole vectors."""

    def __init__(self, like: Tensor, *shapes: tuple[int, ...]) -> None:
        self._C = shapes[0][-1]
        self.wide = self._C + -self._C % LANES
        self._found = [dense(like, *shape[:-1], self.wide) for shape in shapes]
        self.arrays = [_rows(found.numpy()) for found in self._found]

    def tensors(self) -> list[Tensor]:
        """What the kernels wrote, without the padding."""
        return [t if self.wide == self._C else t[..., : self._C].contiguous() for t in self._found]


def _floats(neuron: tuple[Any, ...]) -> tuple[Any, ...]:
    return *(np.float32(value) for value in neuron[:3]), neuron[3]


def _split_cpu(x: Tensor, *neuron: Any) -> tuple[Tensor, Tensor]:
    out = _Results(x, *_split_shapes(x))
    kernel.dwt(_flat(x), *out.arrays, out.wide, *_floats(neuron)[:2])
    low, high = out.tensors()
    return low, high


def _join_cpu(low: Tensor, high: Tensor, *neuron: Any) -> Tensor:
    out = _Results(low, _join_shape(low))
    kernel.idwt(_flat(low), _flat(high), *out.arrays, out.wide, *_floats(neuron)[:2])
    return out.tensors()[0]


def _split_backward_cpu(g_low: Tensor, g_high: Tensor, x: Tensor, *neuron: Any) -> Tensor:
    out = _Results(x, tuple(x.shape))
    kernel.dwt_backward(_flat(x), _flat(g_low), _flat(g_high), *out.arrays, out.wide, *_floats(neuron))
    return out.tensors()[0]


def _join_backward_cpu(g: Tensor, low: Tensor, high: Tensor, *neuron: Any) -> tuple[Tensor, Tensor]:
    out = _Results(low, tuple(low.shape), tuple(high.shape))
    kernel.idwt_backward(_flat(low), _flat(high), _flat(g), *out.arrays, out.wide, *_floats(neuron))
    g_low, g_high = out.tensors()
    return g_low, g_high


def _split_setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(inputs[0])
    ctx.neuron = inputs[1:]


def _join_setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.neuron = inputs[2:]


def _split_backward(ctx: Any, g_low: Tensor, g_high: Tensor) -> tuple[Any, ...]:
    return gradient(haar_split_backward, g_low, g_high, *ctx.saved_tensors, *ctx.neuron), None, None, None, None


def _join_backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    return *gradient(haar_join_backward, g, *ctx.saved_tensors, *ctx.neuron), None, None, None, None


haar_split_backward = operator(
    "haar_split_backward", f"(Tensor g_low, Tensor g_high, Tensor x, {NEURON}) -> Tensor",
    cpu=_split_backward_cpu, fake=lambda gl, gh, x, *_: dense(x),
)  # fmt: skip
haar_join_backward = operator(
    "haar_join_backward", f"(Tensor g, Tensor low, Tensor high, {NEURON}) -> (Tensor, Tensor)",
    cpu=_join_backward_cpu, fake=lambda g, low, high, *_: (dense(low), dense(high)),
)  # fmt: skip
#: haar_split(x [T, B, H, W, C], *constants), T, H, W even -> low [T/2, B, H/2, W/2, C], high [T/2, 7, B, H/2, W/2, C].
haar_split = operator(
    "haar_split", f"(Tensor x, {NEURON}) -> (Tensor, Tensor)", cpu=_split_cpu,
    fake=lambda x, *_: tuple(dense(x, *shape) for shape in _split_shapes(x)),
    setup=_split_setup, backward=_split_backward,
)  # fmt: skip
#: The inverse: haar_join(low, high, *constants) -> [T, B, H, W, C].
haar_join = operator(
    "haar_join", f"(Tensor low, Tensor high, {NEURON}) -> Tensor", cpu=_join_cpu,
    fake=lambda low, high, *_: dense(low, *_join_shape(low)), setup=_join_setup, backward=_join_backward,
)  # fmt: skip
