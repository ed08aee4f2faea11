"""The network's first layer in inference on CPU: convolution, norm and max pool of event counts as one kernel."""

from __future__ import annotations

import numpy as np
from torch import nn

from spikinghash.layers.conv import ConvNorm, per_step
from spikinghash.layers.event_conv_kernel import conv_pool_norm
from spikinghash.layers.fused import affine_constants
from spikinghash.layers.pool import is_plain_pool
from spikinghash.layers.program import Step, plain
from spikinghash.layers.spike_conv import bias_of, padded
from spikinghash.layers.vector_rows import LANES


def stem_step(layer: ConvNorm, after: nn.Module | None) -> Step:
    """Inference on arrays: counts [T, B, P, H, W] through `layer` and the pool `after` -> [T, B, H', W', K]."""
    conv = layer.conv
    k = conv.kernel_size[0]
    whole = (conv.kernel_size, conv.padding) == ((k, k), (k // 2, k // 2)) and (conv.stride, conv.groups) == ((1, 1), 1)
    if after is None or not (is_plain_pool(after) and whole and conv.out_channels % LANES == 0 and k % 2):
        layers = plain(lambda x: layer(x) if after is None else per_step(after, layer(x)))
        return lambda x: layers(np.moveaxis(x, 2, -1))
    rows, bias, scale, shift = _constants(layer)

    def run(x: np.ndarray) -> np.ndarray:
        T, B, P, H, W = x.shape
        out = np.empty((T, B, (H + 1) // 2, (W + 1) // 2, conv.out_channels), np.float32)
        conv_pool_norm(x.reshape(T * B, P, H, W), rows, k, bias, scale, shift, out.reshape(-1, *out.shape[2:]))
        return out

    return run


def _constants(layer: ConvNorm) -> tuple[np.ndarray, ...]:
    """Weights, bias, scale and shift, the scale positive."""
    scale, shift = affine_constants(layer.norm)
    sign = np.where(scale < 0, np.float32(-1), np.float32(1))
    # [K, P, k, k] -> [P, k, k, K], reversed: a cell is added to the outputs around it
    weight = layer.conv.weight.detach().numpy() * sign[:, None, None, None]
    rows = padded(weight[:, :, ::-1, ::-1].transpose(1, 2, 3, 0)).reshape(-1)
    return rows, bias_of(layer.conv) * sign, scale * sign, shift
