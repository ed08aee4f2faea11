"""The lowering of a network's stem: convolution, norm and max pool of event counts as one kernel."""

from __future__ import annotations

import numpy as np
import torch

from spikinghash.inference.lowering import Step, UnknownPart, bias_of, expect_parts, line_of, require
from spikinghash.kernels.infer.event_conv import conv_norm
from spikinghash.kernels.simd.code import LANES
from spikinghash.layers.conv import Conv
from spikinghash.layers.hashing_network import HashingNetwork
from spikinghash.layers.input_encoding import repeat, scale
from spikinghash.layers.norm import BatchNorm
from spikinghash.layers.pool import MaxPool
from spikinghash.ops.conv import padded


def lower_stem(network: HashingNetwork) -> Step:
    """Frames [T or 1, B, P, H, W] -> [T, B, H', W', K]; as it is where the kernel does not serve."""
    try:
        first = _fused(network)
    except UnknownPart:
        first = _as_it_is(network)

    def run(x: np.ndarray) -> np.ndarray:
        scaled = np.ascontiguousarray(scale(torch.from_numpy(x)).numpy())
        return np.ascontiguousarray(repeat(torch.from_numpy(first(scaled)), network.steps).numpy())

    return run


def _fused(network: HashingNetwork) -> Step:
    conv, norm, *pool = expect_parts(network.stem, Conv, BatchNorm, *[MaxPool] * hasattr(network.stem, "pool"))
    k = conv.kernel_size[0]
    plain = conv.groups == 1 and (conv.padding, conv.stride, conv.dilation) == ((k // 2, k // 2), (1, 1), (1, 1))
    if not plain or conv.out_channels % LANES or any((p.kernel_size, p.stride, p.padding) != (3, 2, 1) for p in pool):
        raise UnknownPart("stem")
    gain, shift = line_of(norm)
    sign = np.where(gain < 0, np.float32(-1), np.float32(1))
    # [K, P, k, k] -> [P, k, k, K], reversed: a cell is added to the outputs around it
    weight = conv.weight.detach().numpy() * sign[:, None, None, None]
    rows = padded(weight[:, :, ::-1, ::-1].transpose(1, 2, 3, 0)).reshape(-1)
    constants = rows, k, bias_of(conv) * sign, gain * sign, shift

    def run(x: np.ndarray) -> np.ndarray:
        T, B, P, H, W = x.shape
        require((P,), (conv.in_channels,), "the first convolution")
        sides = ((H + 1) // 2, (W + 1) // 2) if pool else (H, W)
        out = np.empty((T, B, *sides, conv.out_channels), np.float32)
        conv_norm(x.reshape(T * B, P, H, W), *constants, bool(pool), out.reshape(-1, *out.shape[2:]))
        return out

    return run


def _as_it_is(network: HashingNetwork) -> Step:
    @torch.no_grad()
    def run(x: np.ndarray) -> np.ndarray:
        found: np.ndarray = network.stem(torch.from_numpy(x)).movedim(2, -1).contiguous().numpy()
        return found

    return run
