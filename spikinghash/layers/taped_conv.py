"""A step of `tape.py` from neurons to the next addition: LIF, 3 x 3 convolution, norm, perhaps a pool."""

from __future__ import annotations

import numpy as np
from torch import nn

from spikinghash.layers import conv_mix_kernel, norm_kernel, spike_conv
from spikinghash.layers.fused import NeuronConstants
from spikinghash.layers.pool import is_plain_pool
from spikinghash.layers.tape import Gradients, Taped
from spikinghash.layers.taped_norm import Norm, by_channel, pool_normed

_NO_TAPS = np.empty(0, np.uint8)


def serves(x: np.ndarray, conv: nn.Conv2d, pool: nn.Module | None) -> bool:
    """Whether `fire_and_convolve` can take x[T, B, H, W, D]: a plain convolution without bias of whole vectors and
    tiles, one thread.
    """
    plain = spike_conv.is_plain(conv) and conv.bias is None
    return plain and spike_conv.divides(x.shape, conv.weight) and (pool is None or is_plain_pool(pool))


def fire_and_convolve(
    x: np.ndarray, k: NeuronConstants, conv: nn.Conv2d, norm: nn.BatchNorm2d, pool: nn.Module | None, grads: Gradients
) -> Taped:
    """x[T, B, H, W, D] through LIF, convolution, norm and pool -> [T, B, H', W', K]."""
    T, B, H, W, D = x.shape
    K = conv.out_channels
    y = np.empty((T, B, H, W, K), np.float32)
    sums = conv_mix_kernel.convolve(x, spike_conv.weight_rows(conv.weight), y, *k.dynamics())
    s = Norm.by_sums(sums, y.size // K, norm, grads)
    if pool is None:
        out, raw, tap = np.empty_like(y), y, _NO_TAPS
        norm_kernel.affine(by_channel(y), s.affine[0], s.affine[1], by_channel(out))
    else:
        out, raw, tap = pool_normed(y, s.affine)

    def back(g: np.ndarray) -> np.ndarray:
        gx, gw = np.empty_like(x), np.zeros((9 * D, K), np.float32)
        u = spike_conv.transformed(conv.weight.detach())
        conv_mix_kernel.convolve_back(x, y, g, tap.reshape(-1), s.constants_of(g, raw), u, gx, gw, *k.gradient())
        grads.add(conv.weight, gw.reshape(3, 3, D, K).transpose(3, 2, 0, 1))
        return gx

    return out, back
