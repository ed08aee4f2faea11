"""Lowerings of neurons, convolutions, pools, MLP and blocks."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from torch import nn

from spikinghash.inference.integer_weights import integer_weights
from spikinghash.inference.lowering import (
    Step,
    UnknownPart,
    bias_of,
    chain,
    expect,
    expect_parts,
    expect_pointwise,
    line_of,
    lower,
    lower_known,
    lowers,
    neuron_rows,
    require,
)  # fmt: skip
from spikinghash.kernels import lif as lif_kernel
from spikinghash.kernels import pool as pool_kernel
from spikinghash.kernels import spike_conv as conv_kernel
from spikinghash.kernels.infer import integer_winograd
from spikinghash.kernels.infer import mlp as mlp_kernel
from spikinghash.layers.block import Block, Downsample, Residual
from spikinghash.layers.conv import Conv
from spikinghash.layers.mlp import SpikingMLP
from spikinghash.layers.norm import BatchNorm
from spikinghash.layers.pool import MaxPool
from spikinghash.layers.sequential import flat, is_plain
from spikinghash.neurons.lif import LIF
from spikinghash.ops.batch_norm import NO_FORM
from spikinghash.ops.conv import padded, weight_chunks, weight_rows

#: Kernels of 1 x 1 and convolutions of few channels are faster in the library.
_MIN_KERNEL = 3
#: One value in so many tells the firing rate; a prime, so that all channels and columns have their turn.
_EVERY = 61
#: Values between two steps that stay in the last cache.
_IN_CACHE = 1 << 20


@lowers(nn.Sequential)
def lower_sequence(layers: nn.Sequential) -> Step:
    """One layer after the other."""
    return chain(*(lower(layer) for layer in layers))


@lowers(LIF)
def lower_lif(neuron: LIF) -> Step:
    """Spikes of arrays [T, ...]."""
    tau, v_th = neuron.constants.dynamics()

    def run(x: np.ndarray) -> np.ndarray:
        spikes = np.empty_like(x)
        lif_kernel.lif_forward(x.reshape(len(x), -1), NO_FORM, spikes.reshape(len(x), -1), tau, v_th)
        return spikes

    return run


@lowers(MaxPool)
def lower_pool(layer: MaxPool) -> Step:
    """[T, B, H, W, C] -> [T, B, H', W', C]."""
    if (layer.kernel_size, layer.stride, layer.padding) != (3, 2, 1):
        raise UnknownPart("MaxPool")

    def run(x: np.ndarray) -> np.ndarray:
        T, B, H, W, C = x.shape
        out = np.empty((T, B, (H + 1) // 2, (W + 1) // 2, C), np.float32)
        pool_kernel.max_pool_values(x.reshape(-1, H, W, C), out.reshape(-1, *out.shape[2:]))
        return out

    return run


@lowers(Downsample)
def lower_downsample(layer: Downsample) -> Step:
    """Neurons, convolution with its norm, perhaps a pool."""
    parts = list(flat(layer)) if is_plain(layer) else []
    if len(parts) < 3:
        raise UnknownPart("Downsample")
    entry, first, norm, *pool = parts
    conv = expect(first, Conv)
    through = spikes_through(conv, norm)
    if pool:
        through = _by_images(chain(through, *(lower_known(part) for part in pool)), conv.out_channels)
    return chain(lower_known(expect(entry, LIF)), through)


def _by_images(step: Step, channels: int) -> Step:
    """`step`, which looks at each image alone, on a few at a time: so many channels between its parts stay in cache."""

    def run(x: np.ndarray) -> np.ndarray:
        images = x.reshape(1, -1, *x.shape[2:])
        few = max(1, _IN_CACHE // (x.shape[2] * x.shape[3] * channels))
        done = [step(images[:, lo : lo + few]) for lo in range(0, images.shape[1], few)]
        found = done[0] if len(done) == 1 else np.concatenate(done, axis=1)
        return found.reshape(*x.shape[:2], *found.shape[2:])

    return run


def spikes_through(conv: Conv, norm: Any) -> Step:
    """Spikes [T, B, H, W, D] through a convolution and its norm -> [T, B, H, W, K]."""
    K, D, k, _ = conv.weight.shape
    form = (*conv.stride, *conv.dilation, *conv.padding, conv.groups)
    if k < _MIN_KERNEL or form != (1, 1, 1, 1, k // 2, k // 2, 1):
        raise UnknownPart("Conv")
    bias, (scale, shift) = bias_of(conv), line_of(norm)
    chunks, start, whole = weight_chunks(conv.weight), padded(bias), integer_weights(conv.weight.detach().numpy(), bias)

    def run(x: np.ndarray) -> np.ndarray:
        require(x.shape[-1:], (D,), "a convolution")
        out = np.empty((*x.shape[:4], K), np.float32)
        images, result = x.reshape(-1, *x.shape[2:]), out.reshape(-1, *out.shape[2:])
        # both give the same bits
        if whole and x.reshape(-1)[::_EVERY].mean() > whole.break_even:
            integer_winograd.convolve(images, whole.rows, whole.matrices, whole.unit, bias, scale, shift, result)
        else:
            conv_kernel.convolve(images, chunks, k, start, scale, shift, result)
        return out

    return run


@lowers(SpikingMLP)
def lower_mlp(layer: SpikingMLP) -> Step:
    """The whole MLP, a few pixels at a time."""
    return _mlp(layer, residual=False)


def _mlp(layer: SpikingMLP, *, residual: bool) -> Step:
    entry, first, norm1, neuron, second, norm2 = expect_parts(layer, LIF, Conv, BatchNorm, LIF, Conv, BatchNorm)
    convs, kernel = (first, second), cast(Any, mlp_kernel.mlp)
    expect_pointwise(*convs)
    C = first.in_channels
    if (second.in_channels, second.out_channels) != (first.out_channels, C):
        raise UnknownPart("SpikingMLP")
    constants = *(weight_rows(conv.weight) for conv in convs), *map(bias_of, convs), line_of(norm1), line_of(norm2)
    neurons = neuron_rows(entry, neuron)

    def run(x: np.ndarray) -> np.ndarray:
        require(x.shape[-1:], (C,), "an MLP")
        out, shape = np.empty_like(x), (x.shape[0], -1, C)
        kernel(x.reshape(shape), out.reshape(shape), *constants, neurons, residual)
        return out

    return run


@lowers(Residual)
def lower_residual(layer: Residual) -> Step:
    """x + branch(x)."""
    if type(layer.branch) is SpikingMLP:
        return _mlp(expect(layer.branch, SpikingMLP), residual=True)
    branch = lower(layer.branch)

    def run(x: np.ndarray) -> np.ndarray:
        y = branch(x)
        y += x
        return y

    return run


@lowers(Block)
def lower_block(layer: Block) -> Step:
    """Mixer and MLP, each with its residual."""
    return chain(lower(Residual(layer.mixer)), lower(Residual(layer.mlp)))
