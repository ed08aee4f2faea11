"""Weights of a 3 x 3 convolution on their grid as the integers that `kernels/infer/integer_winograd.py` takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from spikinghash.kernels.infer.integer_winograd import SHIFT
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.winograd import G

#: 2 G but for its first and last row, for which the kernel takes its inputs twice.
_WHOLE_G = (G * [[1], [2], [2], [1]]).astype(np.int64)
_LARGEST_SUM, _INT16 = 2**24, 2**15
#: Share of inputs that fire above which products of all are faster than sums of those, for 16 matrices.
_BREAK_EVEN = 0.2


@dataclass(frozen=True)
class IntegerWeights:
    """What the kernel takes, and the firing rate from which it is the faster one."""

    rows: np.ndarray
    matrices: np.ndarray
    unit: np.float32
    break_even: float


def integer_weights(weight: np.ndarray, bias: np.ndarray) -> IntegerWeights | None:
    """Of weight [K, D, 3, 3] and bias [K] float32; None where a sum may be rounded, or the kernel does not serve."""
    K, D, *kernel = weight.shape
    if kernel != [3, 3] or K % LANES or D % LANES:
        return None
    step = min(_grid(weight), _grid(bias))
    whole = np.rint(weight.astype(np.float64) / step).astype(np.int64)
    if not (np.abs(whole).sum((1, 2, 3)) + np.abs(bias / step) <= _LARGEST_SUM).all():
        return None
    rows, matrices = [], []
    for term in (np.kron(_WHOLE_G, _WHOLE_G) @ whole.reshape(K * D, 9).T).reshape(16, K, D):
        halves = [term] if np.abs(term).max() < _INT16 else [term >> SHIFT, term & (1 << SHIFT) - 1]
        matrices.append(len(halves))
        rows += [half.astype(np.int16).reshape(K, D // 2, 2).transpose(1, 0, 2) for half in halves]
    # torch aligns its memory to cache lines, numpy does not
    packed = torch.from_numpy(np.concatenate(rows).reshape(-1, 2 * K).view(np.int32)).clone().numpy()
    unit, count = np.float32(step / 4), np.array(matrices)
    return IntegerWeights(packed, count, unit, _BREAK_EVEN * float(count.mean()))


def _grid(values: np.ndarray) -> float:
    """The largest power of two of which all are multiples; infinite for zeros."""
    mantissa, exponent = np.frexp(values[values != 0].astype(np.float64))
    whole = np.ldexp(mantissa, 24).astype(np.int64)
    return float(np.ldexp(whole & -whole, exponent - 24).min(initial=np.inf))
