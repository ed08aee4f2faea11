"""Lowerings of spiking self-attention and of the WaveMixer."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from spikinghash.inference.lowering import (
    Step,
    UnknownPart,
    as_it_is,
    bias_of,
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
from spikinghash.kernels.infer import attention as attention_kernel
from spikinghash.kernels.infer import mixer as mixer_kernel
from spikinghash.kernels.simd.code import LANES
from spikinghash.layers.attention import SCALE, SpikingSelfAttention
from spikinghash.layers.conv import Conv
from spikinghash.layers.norm import BatchNorm
from spikinghash.layers.wavemixer import HighMixer, WaveMixer
from spikinghash.neurons.lif import LIF
from spikinghash.ops.conv import padded, with_zero_row


@lowers(SpikingSelfAttention)
def lower_attention(layer: SpikingSelfAttention) -> Step:
    """The whole attention, one clip at a time."""
    q_k_v = [expect_parts(part, Conv, BatchNorm, LIF) for part in (layer.q, layer.k, layer.v)]
    parts = [*q_k_v, expect_parts(layer.project, Conv, BatchNorm)]
    convs, norms = [part[0] for part in parts], [part[1] for part in parts]
    C = convs[0].out_channels
    expect_pointwise(*convs)
    if C % LANES or C % layer.heads or any(conv.weight.shape[:2] != (C, C) for conv in convs):
        raise UnknownPart("SpikingSelfAttention")
    weights = padded(with_zero_row(np.stack([conv.weight.detach().numpy()[:, :, 0, 0].T for conv in convs])))
    constants = weights, np.stack([bias_of(conv) for conv in convs]), np.stack([line_of(norm) for norm in norms])
    neurons, width = neuron_rows(layer.entry, *(part[2] for part in q_k_v), layer.fire), C // layer.heads

    def run(x: np.ndarray) -> np.ndarray:
        require(x.shape[-1:], (C,), "self-attention")
        out, shape = np.empty_like(x), (*x.shape[:2], -1, C)
        attend = cast(Any, attention_kernel.attend)
        attend(x.reshape(shape), out.reshape(shape), *constants, width, np.float32(SCALE), neurons)
        return out

    return run


@lowers(HighMixer)
def lower_high(layer: HighMixer) -> Step:
    """[T, S, B, H, W, C] -> spikes of the same shape, a few pixels at a time."""
    if len({w.shape for w in layer.token}) > 1:
        raise UnknownPart("HighMixer")
    fires = [expect_parts(cast(Any, fire), BatchNorm, LIF) for fire in layer.fire]
    tokens = np.stack([w.detach().numpy().reshape(*w.shape[:2], -1) for w in layer.token])
    weights = padded(with_zero_row(np.stack([_block_diagonal(w) for w in layer.channel])))
    lines = np.stack([line_of(norm) for norm, _ in fires])
    biases = np.stack([bias.detach().numpy() for bias in layer.bias])
    constants = tokens, weights, biases, lines[:, 0].copy(), lines[:, 1].copy()
    neurons = neuron_rows(layer.entry, *(neuron for _, neuron in fires))
    (S, T, H, W), C = layer.token[0].shape, lines.shape[2]
    if weights.shape[:2] != (2, C + 1) or biases.shape != (2, C):
        raise UnknownPart("HighMixer")

    def run(x: np.ndarray) -> np.ndarray:
        steps = x.shape[0] if T == 1 else T
        require(x.shape[:2] + x.shape[3:], (steps, S, H, W, C), "a mixer of high bands")
        out, shape = np.empty_like(x), (*x.shape[:3], -1, x.shape[-1])
        cast(Any, mixer_kernel.mix_high)(x.reshape(shape), out.reshape(shape), *constants, neurons)
        return out

    return run


def _block_diagonal(weight: Tensor) -> np.ndarray:
    """Groups [G, D, D] as one block-diagonal matrix [C, C]."""
    return torch.block_diag(*weight.detach()).numpy()


@lowers(WaveMixer)
def lower_wavemixer(layer: WaveMixer) -> Step:
    """Split, mix the bands, join."""
    enter, low_in, low_out = (lower(neuron) for neuron in (layer.entry, layer.low_in, layer.low_out))
    again = lower_known(expect(layer.transform, LIF))
    highs = [_high(mixer) for mixer in layer.high]
    weight = layer.low.detach().permute(1, 2, 3, 0)[:, None].numpy()

    @torch.no_grad()
    def split(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = layer.split(torch.from_numpy(x))
        return low.contiguous().numpy(), high.contiguous().numpy()

    @torch.no_grad()
    def join(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        x: np.ndarray = layer.join(torch.from_numpy(low), torch.from_numpy(high)).contiguous().numpy()
        return x

    def run(x: np.ndarray) -> np.ndarray:
        low, mixed = enter(x), []
        for n, mix in enumerate(highs):
            low, high = split(again(low) if n else low)
            mixed.append(mix(high))
        require(low.shape[2:], weight.shape[2:], "a mixer of the low band")
        low = low_out(low_in(low) * weight)
        for n, high in enumerate(reversed(mixed)):
            low = join(again(low) if n else low, high)
        return low

    return run


def _high(mixer: HighMixer) -> Step:
    try:
        return lower_known(mixer)
    except UnknownPart:
        # its arrays have six dimensions, channel last on both sides
        return as_it_is(lambda x: mixer(x.movedim(2, -1)).movedim(-1, 2))
