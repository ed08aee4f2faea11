"""The high-band mixer's parameters as arrays for its fused inference kernel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import mixer_kernel
from spikinghash.layers.fused import affine_constants, threaded
from spikinghash.layers.neuron import LIF
from spikinghash.layers.vector_rows import LANES


def _square(weight: Tensor) -> np.ndarray:
    """Groups [G, D, D] as one block-diagonal matrix [C, C padded]."""
    G, D, _ = weight.shape
    out = np.zeros((G * D, G * D + -(G * D) % LANES), np.float32)
    for g, part in enumerate(weight.detach().numpy()):
        out[g * D : (g + 1) * D, g * D : (g + 1) * D] = part
    return out


def mix_high(
    x: Tensor,
    entry: LIF,
    token: Iterable[Tensor],
    channel: Iterable[Tensor],
    bias: Iterable[Tensor],
    norms: Iterable[nn.BatchNorm2d],
) -> Tensor:
    """`HighMixer.forward` in inference: x [T, S, B, H, W, C] -> spikes of the same shape. All neurons are alike."""
    T, S, B, H, W, C = x.shape
    x = x.contiguous()
    out = torch.empty_like(x)
    tokens = np.stack([w.detach().numpy().reshape(S, -1, H * W) for w in token])
    weights = np.stack([_square(w) for w in channel])
    biases = np.stack([b.detach().numpy() for b in bias])
    scale, shift = (np.stack(rows) for rows in zip(*(affine_constants(norm) for norm in norms), strict=True))
    run = mixer_kernel.mix_high_threads if threaded(x) else mixer_kernel.mix_high
    pixels, spikes = (t.numpy().reshape(T, S, B, H * W, C) for t in (x, out))
    run(pixels, spikes, tokens, weights, biases, scale, shift, *entry.constants.dynamics())
    return out
