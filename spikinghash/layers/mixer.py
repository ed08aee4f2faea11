"""The high-band mixer's parameters as arrays for its fused inference kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
from torch import Tensor, nn

from spikinghash.layers import mixer_kernel
from spikinghash.layers.fused import affine_constants
from spikinghash.layers.neuron import LIF
from spikinghash.layers.spike_conv import padded, with_silence


def _square(weight: Tensor) -> np.ndarray:
    """Groups [G, D, D] as one block-diagonal matrix [C, C]."""
    G, D, _ = weight.shape
    out = np.zeros((G * D, G * D), np.float32)
    for g, part in enumerate(weight.detach().numpy()):
        out[g * D : (g + 1) * D, g * D : (g + 1) * D] = part
    return out


def high_mixer(
    entry: LIF,
    token: Iterable[Tensor],
    channel: Iterable[Tensor],
    bias: Iterable[Tensor],
    norms: Iterable[nn.BatchNorm2d],
) -> Callable[[np.ndarray], np.ndarray]:
    """`HighMixer.forward` in inference: x [T, S, B, H, W, C] -> spikes of the same shape. All neurons are alike."""
    tokens = np.stack([w.detach().numpy().reshape(*w.shape[:2], -1) for w in token])
    weights = padded(with_silence(np.stack([_square(w) for w in channel])))
    affine = zip(*(affine_constants(norm) for norm in norms), strict=True)
    biases = np.stack([b.detach().numpy() for b in bias])
    constants = tokens, weights, biases, *(np.stack(rows) for rows in affine)
    dynamics, mix = entry.constants.dynamics(), cast(Any, mixer_kernel.mix_high)

    def run(x: np.ndarray) -> np.ndarray:
        out, shape = np.empty_like(x), (*x.shape[:3], -1, x.shape[-1])
        mix(x.reshape(shape), out.reshape(shape), *constants, *dynamics)
        return out

    return run
