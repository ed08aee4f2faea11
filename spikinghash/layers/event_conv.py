"""The network's first layer in inference on CPU: convolution, norm and max pool of event counts as one kernel."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from spikinghash.layers import taped_ops
from spikinghash.layers.conv import ConvNorm, per_step
from spikinghash.layers.event_conv_kernel import conv_pool_norm, convolve_counts, counts_weight_gradient
from spikinghash.layers.fused import affine_constants
from spikinghash.layers.pool import is_plain_pool
from spikinghash.layers.program import Step, plain
from spikinghash.layers.spike_conv import bias_of, padded
from spikinghash.layers.tape import Gradients, Layer, Taped
from spikinghash.layers.vector_rows import LANES
from spikinghash.schema import POLARITIES


def stem_step(layer: ConvNorm, after: nn.Module | None) -> Step:
    """Inference on arrays: counts [T, B, P, H, W] through `layer` and the pool `after` -> [T, B, H', W', K]."""
    conv = layer.conv
    k = conv.kernel_size[0]
    if after is None or not (is_plain_pool(after) and _is_whole(conv)):
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


def stem_layer(layer: ConvNorm, after: nn.Module | None) -> Layer:
    """Training on arrays: counts [T, B, P, H, W] through `layer` and the pool `after` -> [T, B, H', W', K]."""
    conv = layer.conv
    convolve = _convolve_counts if _is_whole(conv) else _convolve_images

    def run(x: np.ndarray, grads: Gradients) -> Taped:
        y, conv_back = convolve(x.reshape(-1, *x.shape[2:]), conv, grads)
        pooled, pool_back = taped_ops.normed_and_pooled(y.reshape(*x.shape[:2], *y.shape[1:]), layer.norm, after, grads)
        return pooled, lambda g: conv_back(pool_back(g))

    return run


# counts are data: nobody asks for their gradient, so what the first layer gives back is of no use


def _convolve_counts(x: np.ndarray, conv: nn.Conv2d, grads: Gradients) -> Taped:
    """Counts [N, P, H, W] -> [N, H, W, K], without bias: only cells with events are multiplied."""
    K, P, k, _ = conv.weight.shape
    y = np.empty((len(x), *x.shape[2:], K), np.float32)
    weight = conv.weight.detach().numpy()[:, :, ::-1, ::-1].transpose(1, 2, 3, 0)
    convolve_counts(x, weight.copy().reshape(-1), k, y)

    def back(g: np.ndarray) -> np.ndarray:
        rows = np.zeros(P * k * k * K, np.float32)
        counts_weight_gradient(x, g.reshape(y.shape), k, rows)
        grads.add(conv.weight, rows.reshape(P, k, k, K).transpose(3, 0, 1, 2)[:, :, ::-1, ::-1].copy())
        return g

    return y, back


def _convolve_images(x: np.ndarray, conv: nn.Conv2d, grads: Gradients) -> Taped:
    """As `_convolve_counts`, by the library: for any convolution."""
    images = torch.from_numpy(x).contiguous(memory_format=torch.channels_last)
    y = conv._conv_forward(images, conv.weight.detach(), None).movedim(1, -1).contiguous().numpy()

    def back(g: np.ndarray) -> np.ndarray:
        gradient = torch.from_numpy(g.reshape(y.shape)).movedim(-1, 1)
        sizes = conv.stride, conv.padding, conv.dilation, False, [0, 0], conv.groups
        of = torch.ops.aten.convolution_backward
        found = of(gradient, images, conv.weight.detach(), None, *sizes, [False, True, False])
        grads.add(conv.weight, found[1].numpy())
        return g

    return y, back


def _is_whole(conv: nn.Conv2d) -> bool:
    """Whether the kernels of this module can and should take the place of `conv`: pictures have no empty cells."""
    k = conv.kernel_size[0]
    whole = (conv.kernel_size, conv.padding) == ((k, k), (k // 2, k // 2)) and (conv.stride, conv.groups) == ((1, 1), 1)
    return whole and conv.in_channels == POLARITIES and conv.out_channels % LANES == 0 and k % 2 == 1
