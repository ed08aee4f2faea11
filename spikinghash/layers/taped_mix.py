"""Steps of `tape.py` that begin with neurons and end before the next: LIF, matrix product, norm (`mix_kernel.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import attention_back_kernel, mix_kernel
from spikinghash.layers.arrays import empty
from spikinghash.layers.fused import NeuronConstants
from spikinghash.layers.spike_conv import with_silence
from spikinghash.layers.tape import Gradients, Taped
from spikinghash.layers.taped_norm import Charge, Half, JointNorm, Norm
from spikinghash.layers.vector_rows import LANES

#: Values of a matrix that still fit in the second cache beside a block.
_LARGEST = 1 << 17


@dataclass(frozen=True)
class Mixing:
    """A matrix [D, K] behind neurons, the norms of its K columns, whom its gradient [D, K] goes to."""

    matrix: np.ndarray
    norms: Sequence[tuple[nn.BatchNorm2d, Tensor | None]]
    give: Callable[[np.ndarray], None]


def mixes(inputs: int, outputs: int) -> bool:
    """Whether `mix` serves a matrix of that shape: whole vectors, not too large, one thread."""
    return inputs % LANES == outputs % LANES == 0 and inputs * outputs <= _LARGEST and torch.get_num_threads() == 1


def mix(charge: Charge, k: NeuronConstants, how: Mixing, grads: Gradients) -> tuple[Charge, Callable[[Half], Half]]:
    """Spikes of `charge` times a matrix, which is the next charge; and the way back."""
    x, (scale, shift, pivot), (D, K) = charge.x, charge.affine(), how.matrix.shape
    y = empty(*x.shape[:-1], K)
    by_pixel = (len(x), -1)
    sums = mix_kernel.mix(
        x.reshape(*by_pixel, D), scale, shift, with_silence(how.matrix), y.reshape(*by_pixel, K), *k.dynamics()
    )
    count, width = y.size // K, K // len(how.norms)
    parts = [
        Norm(sums[:, i * width : (i + 1) * width].copy(), count, norm, grads, offset)
        for i, (norm, offset) in enumerate(how.norms)
    ]

    def back(half: Half) -> Half:
        g, constants = half
        gx, gw = empty(*x.shape), np.zeros((D, K), np.float32)
        totals = mix_kernel.mix_back(
            x.reshape(*by_pixel, D), scale, shift, pivot, np.ascontiguousarray(how.matrix.T),
            g.reshape(*by_pixel, K), y.reshape(*by_pixel, K), np.stack(constants),
            gx.reshape(*by_pixel, D), gw, *k.gradient(),
        )  # fmt: skip
        how.give(gw)
        return charge.half(gx, totals)

    return Charge(y, parts[0] if len(parts) == 1 else JointNorm(parts)), back


def by_conv(conv: nn.Conv2d, norm: nn.BatchNorm2d, grads: Gradients) -> Mixing:
    """A 1 x 1 convolution and its norm."""
    matrix = conv.weight.detach().flatten(1).T.numpy()
    return Mixing(matrix, [(norm, conv.bias)], lambda gw: grads.add(conv.weight, gw.T))


def attend(spikes: np.ndarray, heads: int, scale: float) -> Taped:
    """q (k^T v) * scale per head and step (eq. 14) of q, k and v side by side, spikes [T, B, H, W, 3 C]."""
    T, B, H, W, wide = spikes.shape
    C, images = wide // 3, (T * B, H * W, -1)
    y, how = empty(T, B, H, W, C), (C // heads, np.float32(scale))
    attention_back_kernel.attended(spikes.reshape(images), *how, y.reshape(images))

    def back(g: np.ndarray) -> np.ndarray:
        out = empty(*spikes.shape)
        attention_back_kernel.attended_back(spikes.reshape(images), *how, g.reshape(images), out.reshape(images))
        return out

    return y, back
