"""Steps of `tape.py` that begin with neurons and end before the next: LIF, matrix product, norm (`mix_kernel.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import attention_back_kernel, mix_kernel
from spikinghash.layers.fused import NeuronConstants
from spikinghash.layers.tape import Gradients, Taped
from spikinghash.layers.taped_norm import Charge, Half, JointNorm, Norm
from spikinghash.layers.vector_rows import LANES

#: Values of a matrix that still fit in the second cache beside a block.
_LARGEST = 1 << 17


@dataclass(frozen=True)
class Mixing:
    """A matrix [D, K] behind neurons, given as [K, D] where `transposed`, the norms of its K columns, whom its gradient
    [D, K] goes to.
    """

    matrix: np.ndarray
    transposed: bool
    norms: Sequence[tuple[nn.BatchNorm2d, Tensor | None]]
    give: Callable[[np.ndarray], None]


def mixes(inputs: int, outputs: int) -> bool:
    """Whether `mix` serves a matrix of that shape: whole vectors, not too large, one thread."""
    return inputs % LANES == outputs % LANES == 0 and inputs * outputs <= _LARGEST and torch.get_num_threads() == 1


def mix(charge: Charge, k: NeuronConstants, how: Mixing, grads: Gradients) -> tuple[Charge, Callable[[Half], Half]]:
    """Spikes of `charge` times a matrix, which is the next charge; and the way back."""
    x, affine, matrix = charge.x, charge.affine(), (how.matrix, how.transposed)
    D, K = how.matrix.shape[::-1] if how.transposed else how.matrix.shape
    y = np.empty((*x.shape[:-1], K), np.float32)
    rows, out = x.reshape(len(x), -1, D), y.reshape(len(x), -1, K)
    after: Norm | JointNorm
    if len(how.norms) == 1:
        after = Norm(how.norms[0][0], grads, how.norms[0][1])
        after.keep(y.size // K, mix_kernel.mix_normed(rows, affine, *matrix, out, *k.dynamics(), *after.arrays))
    else:
        sums = mix_kernel.mix(rows, affine, *matrix, out, *k.dynamics())
        shares = zip(np.split(sums, len(how.norms), 1), how.norms, strict=True)
        after = JointNorm([Norm.by_sums(s.copy(), y.size // K, norm, grads, offset) for s, (norm, offset) in shares])

    def back(half: Half) -> Half:
        g, constants = half
        gx, gw = np.empty_like(x), np.zeros((D, K), np.float32)
        by_y, by_x = g.reshape(out.shape), gx.reshape(rows.shape)
        given = rows, affine, *matrix, out, by_y, constants, by_x, gw, *k.gradient()
        if isinstance(charge.norm, Norm):
            found = gx, charge.norm.give(mix_kernel.mix_back_normed(*given, *charge.norm.statistics()))
        else:
            found = charge.half(gx, mix_kernel.mix_back(*given))
        how.give(gw)
        return found

    return Charge(y, after), back


def by_conv(conv: nn.Conv2d, norm: nn.BatchNorm2d, grads: Gradients) -> Mixing:
    """A 1 x 1 convolution and its norm."""
    weight: Tensor = conv.weight
    matrix = grads.array(weight).reshape(len(weight), -1)
    return Mixing(matrix, True, [(norm, conv.bias)], lambda gw: grads.add(weight, gw.T))


def attend(spikes: np.ndarray, heads: int, scale: float) -> Taped:
    """q (k^T v) * scale per head and step (eq. 14) of q, k and v side by side, spikes [T, B, H, W, 3 C]."""
    T, B, H, W, wide = spikes.shape
    C, images = wide // 3, (T * B, H * W, -1)
    y, how = np.empty((T, B, H, W, C), np.float32), (C // heads, np.float32(scale))
    attention_back_kernel.attended(spikes.reshape(images), *how, y.reshape(images))

    def back(g: np.ndarray) -> np.ndarray:
        out = np.empty_like(spikes)
        attention_back_kernel.attended_back(spikes.reshape(images), *how, g.reshape(images), out.reshape(images))
        return out

    return y, back
