"""The high-band mixer's parameters as arrays for its fused inference kernel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import mixer_kernel
from spikinghash.layers.constants import kept, norm_tensors
from spikinghash.layers.fused import affine_constants, threaded
from spikinghash.layers.neuron import LIF
from spikinghash.layers.spike_conv import padded


def _square(weight: Tensor) -> np.ndarray:
    """Groups [G, D, D] as one block-diagonal matrix [C, C]."""
    G, D, _ = weight.shape
    out = np.zeros((G * D, G * D), np.float32)
    for g, part in enumerate(weight.detach().numpy()):
        out[g * D : (g + 1) * D, g * D : (g + 1) * D] = part
    return out


def mix_high(
    owner: nn.Module,
    x: Tensor,
    entry: LIF,
    token: Iterable[Tensor],
    channel: Iterable[Tensor],
    bias: Iterable[Tensor],
    norms: Iterable[nn.BatchNorm2d],
) -> Tensor:
    """`HighMixer.forward` in inference: x [T, S, B, H, W, C] -> spikes of the same shape. All neurons are alike.

    The parameters are those of `owner`, which keeps the arrays made of them.
    """
    T, S, B, H, W, C = x.shape
    x = x.contiguous()
    out = torch.empty_like(x)
    token, channel, bias, norms = list(token), list(channel), list(bias), list(norms)

    def make() -> tuple[np.ndarray, ...]:
        tokens = np.stack([w.detach().numpy().reshape(S, -1, H * W) for w in token])
        weights = padded(np.stack([_square(w) for w in channel]))
        affine = zip(*(affine_constants(norm) for norm in norms), strict=True)
        return tokens, weights, np.stack([b.detach().numpy() for b in bias]), *(np.stack(rows) for rows in affine)

    constants: Any = kept(owner, [*token, *channel, *bias, *(t for norm in norms for t in norm_tensors(norm))], make)
    run: Any = mixer_kernel.mix_high_threads if threaded(x) else mixer_kernel.mix_high
    pixels, spikes = (t.numpy().reshape(T, S, B, H * W, C) for t in (x, out))
    run(pixels, spikes, *constants, *entry.constants.dynamics())
    return out
