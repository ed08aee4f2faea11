"""The network's first layer in inference on CPU: convolution, norm and max pool of event counts as one kernel."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from spikinghash.layers import event_conv_kernel as kernel
from spikinghash.layers.constants import conv_tensors, kept, norm_tensors
from spikinghash.layers.conv import ConvNorm, per_step
from spikinghash.layers.fused import affine_constants, is_fixed, threaded
from spikinghash.layers.pool import is_plain_pool
from spikinghash.layers.spike_conv import bias_of, padded
from spikinghash.layers.vector_rows import LANES


def stem(layer: ConvNorm, after: nn.Module, x: Tensor) -> Tensor:
    """Counts [T, B, P, H, W] through `layer` and the pool `after` -> [T, B, K, H', W']."""
    conv = layer.conv
    k = conv.kernel_size[0]
    plain = (conv.kernel_size, conv.padding) == ((k, k), (k // 2, k // 2)) and (conv.stride, conv.groups) == ((1, 1), 1)
    if not (is_fixed(layer, x) and is_plain_pool(after) and plain and conv.out_channels % LANES == 0 and k % 2):
        return per_step(after, layer(x))
    images = x.flatten(0, 1).contiguous()
    H, W = x.shape[3:]
    out = x.new_empty(len(images), (H + 1) // 2, (W + 1) // 2, conv.out_channels)
    run = kernel.conv_pool_norm_threads if threaded(images) else kernel.conv_pool_norm
    rows, bias, scale, shift = _constants(layer)
    run(images.numpy(), rows, k, bias, scale, shift, out.numpy())
    return out.unflatten(0, x.shape[:2]).movedim(-1, 2)


def _constants(layer: ConvNorm) -> tuple[np.ndarray, ...]:
    """Weights, bias, scale and shift, the scale positive."""

    def make() -> tuple[np.ndarray, ...]:
        scale, shift = affine_constants(layer.norm)
        sign = np.where(scale < 0, np.float32(-1), np.float32(1))
        # [K, P, k, k] -> [P, k, k, K], reversed: a cell is added to the outputs around it
        weight = layer.conv.weight.detach().numpy() * sign[:, None, None, None]
        rows = padded(weight[:, :, ::-1, ::-1].transpose(1, 2, 3, 0)).reshape(-1)
        return rows, bias_of(layer.conv) * sign, scale * sign, shift

    return kept(layer, [*conv_tensors(layer.conv), *norm_tensors(layer.norm)], make)
