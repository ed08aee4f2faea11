"""Batch norm with batch statistics in two halves, for steps of `tape.py` that do more in the same pass over memory.

Forwards its sums may come from the step before, and its affine form is applied by the step behind. Backwards the step
behind gives the gradient of the norm's output with column sums, and the step before turns it into that of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from torch import Tensor, nn

from spikinghash.layers import lif_kernel, norm_kernel, pool_norm_kernel
from spikinghash.layers.fused import NONE, NeuronConstants, backward_kernel, forward_kernel
from spikinghash.layers.tape import Gradients

#: Gain, slope and offset [3, C]: the gradient of a norm's input is gain * g + slope * x + offset.
Constants = np.ndarray
#: The gradient g of a norm's output, and the constants with which it becomes that of the input.
Half = tuple[np.ndarray, Constants]

_NOTHING = np.empty((3, 0), np.float32)
_Tensors = dict[str, Tensor]


def by_step(x: np.ndarray) -> np.ndarray:
    """x[T, ...] -> [T, N]."""
    return x.reshape(len(x), -1)


def by_channel(x: np.ndarray) -> np.ndarray:
    """x[..., C] -> [R, C]."""
    return x.reshape(-1, x.shape[-1])


class Norm:
    """The norm of R rows of C channels plus an `offset`, by the statistics of this batch, which `norm` keeps.

    `arrays` is what the kernels take of it; once they gave its statistics to `keep`, `affine` [3, C] is scale, shift
    and a pivot near the mean.
    """

    def __init__(self, norm: nn.BatchNorm2d, grads: Gradients, offset: Tensor | None = None) -> None:
        self._norm, self._grads, self._offset = norm, grads, offset
        # not by attributes, which take a module a microsecond each
        parameters, buffers, array = cast(_Tensors, norm._parameters), cast(_Tensors, norm._buffers), grads.array
        self.arrays = (
            array(parameters["weight"]), array(parameters["bias"]), NONE if offset is None else array(offset),
            array(buffers["running_mean"]), array(buffers["running_var"]), norm.eps, norm.momentum or 0.0,
        )  # fmt: skip
        grads.norms.append(norm)

    @classmethod
    def by_sums(
        cls, sums: np.ndarray, count: int, norm: nn.BatchNorm2d, grads: Gradients, offset: Tensor | None = None
    ) -> Norm:
        """From the moments of `count` rows."""
        made = cls(norm, grads, offset)
        made.keep(count, norm_kernel.tracked(count, sums, *made.arrays))
        return made

    @classmethod
    def of(cls, x: np.ndarray, norm: nn.BatchNorm2d, grads: Gradients, offset: Tensor | None = None) -> Norm:
        """The norm of x[..., C]."""
        rows = by_channel(x)
        return cls.by_sums(norm_kernel.moments(rows), len(rows), norm, grads, offset)

    def keep(self, count: int, found: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        """What `norm_kernel.tracked` gives."""
        self._count, (self._mean, self._rstd, self.affine) = count, found

    def statistics(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What `norm_kernel.norm_constants` takes: mean, 1 / deviation, weight."""
        return self._mean, self._rstd, self.arrays[0]

    def constants(self, total: np.ndarray, centred: np.ndarray) -> Constants:
        """From the column sums [C] of the output's gradient, plain and times x - pivot."""
        return self.give(norm_kernel.norm_constants(self._count, total, centred, *self.statistics()))

    def constants_of(self, g: np.ndarray, x: np.ndarray) -> Constants:
        """`constants` from the gradient g of the output and what it was made of, x, both [..., C]."""
        pivot = self.affine[2]
        return self.constants(*norm_kernel.channel_sums(by_channel(g), by_channel(x), np.zeros_like(pivot), pivot))

    def give(self, found: tuple[Constants, np.ndarray, np.ndarray]) -> Constants:
        """What `norm_kernel.norm_constants` gives. Keeps the gradients of weight, bias and offset; the last is zero,
        for the mean takes it away.
        """
        constants, by_weight, by_bias = found
        parameters = cast(_Tensors, self._norm._parameters)
        self._grads.add(parameters["weight"], by_weight)
        self._grads.add(parameters["bias"], by_bias)
        if self._offset is not None:
            self._grads.add(self._offset, np.zeros(self._offset.shape, np.float32))
        return constants


class JointNorm:
    """Norms of neighbouring channels as one."""

    def __init__(self, parts: Sequence[Norm]) -> None:
        self._parts, self._ends = parts, np.cumsum([p.affine.shape[1] for p in parts])[:-1]
        self.affine = np.concatenate([p.affine for p in parts], 1)

    def constants(self, total: np.ndarray, centred: np.ndarray) -> Constants:
        """As `Norm.constants`."""
        shares = zip(self._parts, np.split(total, self._ends), np.split(centred, self._ends), strict=True)
        return np.concatenate([p.constants(*s) for p, *s in shares], 1)


@dataclass(frozen=True)
class Charge:
    """What charges a layer of neurons: x[T, ..., C], by way of a norm where there is one."""

    x: np.ndarray
    norm: Norm | JointNorm | None = None

    def affine(self) -> np.ndarray:
        """Scale, shift and pivot [3, C], or nothing [3, 0]."""
        return _NOTHING if self.norm is None else self.norm.affine

    def half(self, g: np.ndarray, sums: np.ndarray) -> Half:
        """From the gradient of the norm's output and its column sums [2, C]; without a norm g and nothing else."""
        return g, _NOTHING if self.norm is None else self.norm.constants(*sums)

    def finished(self, half: Half) -> np.ndarray:
        """The gradient of x, in the memory of that of the norm's output."""
        g, constants = half
        if self.norm is not None:
            norm_kernel.norm_backward(by_channel(g), by_channel(self.x), constants, by_channel(g))
        return g


def fired(charge: Charge, k: NeuronConstants) -> tuple[np.ndarray, Callable[[np.ndarray], Half]]:
    """Spikes (eqs. 1-3), and the way back as far as the norm's output."""
    x, (scale, shift, pivot) = charge.x, charge.affine()
    spikes = np.empty_like(x)
    forward_kernel(x.size)(by_step(x), scale, shift, by_step(spikes), *k.dynamics())

    def back(g: np.ndarray) -> Half:
        out, C = np.empty_like(x), len(scale)
        sums = np.zeros((2, lif_kernel.group_count(x[0].size, C), C))
        arrays = by_step(x), scale, shift, by_step(g), by_step(out), pivot
        backward_kernel(x.size)(*arrays, *sums, *k.gradient())
        return charge.half(out, sums.sum(1))

    return spikes, back


def normed(charge: Charge) -> tuple[np.ndarray, Callable[[np.ndarray], Half]]:
    """The norm's output, without neurons, and the way back to it."""
    x, (scale, shift, pivot) = charge.x, charge.affine()
    y = np.empty_like(x)
    norm_kernel.affine(by_channel(x), scale, shift, by_channel(y))

    def back(g: np.ndarray) -> Half:
        sums = norm_kernel.channel_sums(by_channel(g), by_channel(x), np.zeros_like(pivot), pivot)
        return charge.half(g, np.stack(sums))

    return y, back


def pool_normed(x: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Max pool of x[T, B, H, W, C] * affine[0] + affine[1], C whole vectors -> [T, B, H', W', C], and for the way back,
    [T * B, H', W', C], the x of each and which of nine it was.
    """
    T, B, H, W, C = x.shape
    shape = T * B, (H + 1) // 2, (W + 1) // 2, C
    out, raw, tap = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.uint8)
    pool_norm_kernel.norm_pool(x.reshape(-1, H, W, C), affine, out, raw, tap)
    return out.reshape(T, B, *shape[1:]), raw, tap
