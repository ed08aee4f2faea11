"""Spiking WaveMixer: wavelet transform, spectral mixers, inverse transform (paper section III-C, eqs. 7-12).

Layout inside: channel last [T, B, H, W, C]; the S high bands of a level (7 in three dimensions, 3 in two) are a second
dimension [T, S, B, H, W, C].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import taped_ops
from spikinghash.layers.fused import NeuronConstants, is_fixed, runs_fused
from spikinghash.layers.mixer import high_mixer
from spikinghash.layers.neuron import LIF, NormLIF
from spikinghash.layers.program import Step, fast
from spikinghash.layers.spike_linear import spike_linear
from spikinghash.layers.tape import Gradients, Taped, by_autograd, undo
from spikinghash.layers.taped_mix import Mixing, mix, mixes
from spikinghash.layers.taped_norm import Charge, Norm, fired
from spikinghash.layers.taped_tokens import mix_tokens
from spikinghash.layers.vector_rows import LANES
from spikinghash.layers.wavelet import band_steps, join_bands, split_bands

#: Standard deviation of the mixer weights at the start (released file).
INIT_STD = 0.02


def _weight(*shape: int) -> nn.Parameter:
    values = torch.empty(shape)
    # on the meta device there is nothing to fill, and the first `normal_` there imports for two seconds
    return nn.Parameter(values if values.is_meta else values.normal_().mul_(INIT_STD))


@dataclass(frozen=True)
class MixerThresholds:
    """Firing thresholds of the mixer's neurons. The low ones inside the transforms are essential: an isolated spike
    gives a coefficient of 0.707, which survives a neuron of tau 1.75 only below 0.404.
    """

    entry: float = 0.75
    low: float = 0.55
    high: float = 0.75
    transform: float = 0.35


class HighMixer(nn.Module):
    """Token mixer then channel mixer of one level's high bands (eqs. 10-12), two layers each as released.

    SN -> (* W, BN, SN) twice -> (grouped einsum + b, BN, SN) twice. [T, S, B, H, W, C] -> spikes of the same shape.
    `grid` (T, H, W) is that of the token weights; T = 1 shares them over the steps.
    """

    def __init__(
        self, channels: int, bands: int, grid: tuple[int, int, int], groups: int, v_th: float, surrogate: str
    ) -> None:
        super().__init__()
        width = channels // groups
        self.groups = groups
        self.entry = LIF(v_th, surrogate_name=surrogate)
        self.token = nn.ParameterList(_weight(bands, *grid) for _ in range(2))
        self.channel = nn.ParameterList(_weight(groups, width, width) for _ in range(2))
        self.bias = nn.ParameterList(_weight(channels) for _ in range(2))
        self.fire = nn.ModuleList(NormLIF(channels, v_th, surrogate_name=surrogate) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """[T, S, B, H, W, C] real-valued coefficients -> spikes of the same shape."""
        if is_fixed(self, x):
            return fast(self, x, clips=2, channel=-1)
        x = self.entry(x.contiguous())
        for weight, fire in zip(self.token, self.fire[:2], strict=True):
            x = fire(x * weight.transpose(0, 1)[:, :, None, :, :, None], channel_last=True)
        for weight, bias, fire in zip(self.channel, self.bias, self.fire[2:], strict=True):
            x = fire(self._mix(x, weight), channel_last=True, offset=bias)
        return x

    def forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        """Training on arrays [T, S, B, H, W, C]."""
        if self.groups > 1:
            return by_autograd(self.forward, self.parameters(), x, grads)
        fires: list[Any] = list(self.fire)
        neurons = [self.entry.constants, *(fire.neuron.constants for fire in fires)]
        norms = [fire.norm for fire in fires[:2]]
        mix = mix_tokens if x.shape[-1] % LANES == 0 else taped_ops.mix_tokens
        charge, token_back = mix(x, list(self.token), norms, neurons[:2], grads)
        backs: list[Any] = [token_back]
        for i in range(2):
            charge, back = self._channels(charge, i, neurons[2 + i], grads)
            backs.append(back)
        x, last_back = fired(charge, neurons[4])
        backs.append(last_back)
        return x, undo(backs)

    def _channels(self, charge: Charge, i: int, k: NeuronConstants, grads: Gradients) -> tuple[Charge, Any]:
        """Eq. 12 with one group: spikes [..., N, D] of `charge` x W[1, D, K], and the norm behind it."""
        weight, bias, fire = self.channel[i], self.bias[i], cast(Any, self.fire[2 + i])
        if mixes(*weight.shape[1:]):
            how = Mixing(grads.array(weight)[0], False, [(fire.norm, bias)], partial(grads.add, weight))
            return mix(charge, k, how, grads)
        x, fired_back = fired(charge, k)
        y, linear_back = taped_ops.linear(x, weight, grads, transposed=False)
        found = Charge(y, Norm.of(y, fire.norm, grads, bias))
        return found, lambda half: fired_back(linear_back(found.finished(half)))

    def compiled(self) -> Step:
        """Inference on arrays [T, S, B, H, W, C]."""
        norms: list[Any] = [fire.norm for fire in self.fire]
        return high_mixer(self.entry, self.token, self.channel, self.bias, norms)

    def _mix(self, x: Tensor, weight: Tensor) -> Tensor:
        """Eq. 12 in groups: x[..., N, D] x W[N, D, K] -> [..., N, K]."""
        if self.groups == 1:
            return spike_linear(x, weight[0]) if runs_fused(x) else x @ weight[0]
        rows = x.reshape(-1, self.groups, weight.shape[1]).transpose(0, 1)
        return torch.bmm(rows, weight).transpose(0, 1).reshape(x.shape)


class WaveMixer(nn.Module):
    """Spiking wavelet mixer of one or two levels. [T, B, C, H, W] -> the same shape, real-valued.

    `temporal` is the paper's three-dimensional mixer; without it the transform leaves time alone and the weights are
    shared over the steps (the 2D-SWM of table XI). H, W, and T where `temporal`, must be multiples of 2 per level; the
    weights W1..W3 tie the layer to that geometry.
    """

    def __init__(
        self,
        channels: int,
        grid: tuple[int, int, int],
        groups: int,
        *,
        temporal: bool = True,
        levels: int = 2,
        thresholds: MixerThresholds = MixerThresholds(),
        surrogate: str = "sigmoid",
    ) -> None:
        super().__init__()
        T, H, W = grid if temporal else (1, *grid[1:])
        self.temporal = temporal
        self.entry = LIF(thresholds.entry, surrogate_name=surrogate)
        self.transform = LIF(thresholds.transform, surrogate_name=surrogate)
        self.low_in = LIF(thresholds.low, surrogate_name=surrogate)
        self.low_out = LIF(thresholds.low, surrogate_name=surrogate)
        grids = [(max(1, T >> n), H >> n, W >> n) for n in range(1, levels + 1)]
        self.low = _weight(channels, *grids[-1])
        for n, at in enumerate(grids, 1):
            bands = 7 if temporal else 3
            self.add_module(f"high{n}", HighMixer(channels, bands, at, groups, thresholds.high, surrogate))
        self.levels = levels

    @property
    def shrink(self) -> int:
        """How many times fewer coefficients the low band has than the input."""
        return int((8 if self.temporal else 4) ** self.levels)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        if is_fixed(self, x):
            return fast(self, x)
        spikes = self.entry(x.movedim(2, -1).contiguous())
        highs = [getattr(self, f"high{n + 1}") for n in range(self.levels)]
        split = partial(split_bands, neuron=self.transform, temporal=self.temporal)
        join = partial(join_bands, neuron=self.transform, temporal=self.temporal)
        return _mix_bands(spikes, split, join, highs, self._mix_low, self.transform).movedim(-1, 2)

    def forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        """Training on arrays [T, B, H, W, C]."""
        if not self.temporal or x.shape[-1] % LANES:
            return by_autograd(lambda t: self(t.movedim(-1, 2)).movedim(2, -1), self.parameters(), x, grads)
        k = self.transform.constants
        low, entry_back = taped_ops.lif(x, self.entry.constants)
        between, splits, mixers, highs = [], [], [], []
        for n in range(self.levels):
            if n:
                low, lif_back = taped_ops.lif(low, k)
                between.append(lif_back)
            low, high, split_back = taped_ops.split(low, k)
            high, mixer_back = getattr(self, f"high{n + 1}").forward_back(high, grads)
            highs.append(high)
            splits.append(split_back)
            mixers.append(mixer_back)
        low, low_back = self._low_forward_back(low, grads)
        joined, joins = [], []
        for n in reversed(range(self.levels)):
            if n < self.levels - 1:
                low, lif_back = taped_ops.lif(low, k)
                joined.append(lif_back)
            low, join_back = taped_ops.join(low, highs[n], k)
            joins.append(join_back)

        def back(g: np.ndarray) -> np.ndarray:
            by_high = []
            while joins:
                g, high = joins.pop()(g)
                by_high.append(high)
                g = joined.pop()(g) if joined else g
            g = low_back(g)
            while splits:
                g = splits.pop()(g, mixers.pop()(by_high.pop()))
                g = between.pop()(g) if between else g
            return entry_back(g)

        return low, back

    def _low_forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        spikes, in_back = taped_ops.lif(x, self.low_in.constants)
        weight = self.low.detach().permute(1, 2, 3, 0)[:, None].numpy()
        y, out_back = taped_ops.lif(spikes * weight, self.low_out.constants)

        def back(g: np.ndarray) -> np.ndarray:
            g = out_back(g)
            by_weight = (g * spikes).sum(1)
            if weight.shape[0] == 1:
                by_weight = by_weight.sum(0, keepdims=True)
            grads.add(self.low, by_weight.transpose(3, 0, 1, 2))
            return in_back(g * weight)

        return y, back

    def compiled(self) -> Step:
        """Inference on arrays [T, B, H, W, C]."""
        highs = [getattr(self, f"high{n + 1}").compiled() for n in range(self.levels)]
        split, join = band_steps(self.transform, temporal=self.temporal)
        enter, again, low_in, low_out = (n.compiled() for n in (self.entry, self.transform, self.low_in, self.low_out))
        weight = self.low.detach().permute(1, 2, 3, 0)[:, None].numpy()

        def mix_low(low: np.ndarray) -> np.ndarray:
            return low_out(low_in(low) * weight)

        return lambda x: _mix_bands(enter(x), split, join, highs, mix_low, again)

    def _mix_low(self, low: Tensor) -> Tensor:
        mixed: Tensor = self.low_out(self.low_in(low) * self.low.permute(1, 2, 3, 0)[:, None])
        return mixed


_X = TypeVar("_X", Tensor, np.ndarray)


def _mix_bands(
    x: _X,
    split: Callable[[_X], tuple[_X, _X]],
    join: Callable[[_X, _X], _X],
    highs: Sequence[Callable[[_X], _X]],
    mix_low: Callable[[_X], _X],
    neuron: Callable[[_X], _X],
) -> _X:
    """Spikes through one level of bands after another, the low band, and back (eqs. 7-12)."""
    low, mixed = x, []
    for n, mix_high in enumerate(highs):
        low, high = split(neuron(low) if n else low)
        mixed.append(mix_high(high))
    low = mix_low(low)
    for n, high in enumerate(reversed(mixed)):
        low = join(neuron(low) if n else low, high)
    return low
