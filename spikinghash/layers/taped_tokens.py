"""The token mixer of high bands as one step of `tape.py`: twice neurons, weights and norm (`token_mix_kernel.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor, nn

from spikinghash.layers import token_mix_kernel
from spikinghash.layers.fused import NeuronConstants
from spikinghash.layers.tape import Gradients
from spikinghash.layers.taped_norm import Charge, Half, Norm
from spikinghash.layers.vector_rows import LANES


def mix_tokens(
    x: np.ndarray,
    weights: Sequence[Tensor],
    norms: Sequence[nn.BatchNorm2d],
    neurons: Sequence[NeuronConstants],
    grads: Gradients,
) -> tuple[Charge, Callable[[Half], np.ndarray]]:
    """x[T, S, B, H, W, C] through LIF, weights, norm, twice (eq. 10): the next charge, and the way back to x.

    C is whole vectors. Each of `weights` is [S, T or 1, H, W].
    """
    by_pixel, C = (*x.shape[:3], -1, x.shape[-1]), x.shape[-1]
    first, second = (grads.array(w).reshape(*w.shape[:2], -1) for w in weights)
    coefficients, out, count = x.reshape(by_pixel), np.empty_like(x), x.size // C
    bits = np.empty((*coefficients.shape[:4], C // LANES), np.int16)
    sums = token_mix_kernel.first(coefficients, first, bits, *neurons[0].dynamics())
    inner = Norm.by_sums(sums, count, norms[0], grads)
    layer = bits, first, inner.affine[0], inner.affine[1], second
    sums = token_mix_kernel.second(*layer, out.reshape(by_pixel), *neurons[1].dynamics())
    charge = Charge(out, Norm.by_sums(sums, count, norms[1], grads))

    def back(half: Half) -> np.ndarray:
        between, by_x = np.empty_like(coefficients), np.empty_like(x)
        by_weight = np.zeros((2, first.size, LANES), np.float32)
        totals = token_mix_kernel.second_back(
            *layer, half[0].reshape(by_pixel), half[1], between, by_weight[1], *neurons[1].gradient()
        )
        # the kernel's sums are about zero, those of `constants` about the pivot
        constants = inner.constants(totals[0], totals[1] - inner.affine[2] * totals[0])
        token_mix_kernel.first_back(
            coefficients, first, between, constants, by_x.reshape(by_pixel), by_weight[0],
            *neurons[0].gradient(),
        )  # fmt: skip
        for weight, own in zip(weights, by_weight.sum(2), strict=True):
            grads.add(weight, own)
        return by_x

    return charge, back
