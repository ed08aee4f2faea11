"""Spiking WaveMixer: wavelet transform, spectral mixers, inverse transform (paper section III-C, eqs. 7-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from spikinghash.layers.accounts import Composed, ExactSum, Operation, Rates
from spikinghash.layers.conv import NormLIF, linear
from spikinghash.layers.deferred import Deferred, can_defer, deferrable
from spikinghash.layers.sequential import Part, through
from spikinghash.neurons.lif import LIF, has_kernels
from spikinghash.ops.haar import haar_join, haar_split, has_whole_vectors
from spikinghash.ops.haar_reference import SPATIAL, TEMPORAL, dwt, idwt

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


@dataclass(frozen=True, eq=False)
class TokenMix:
    """Eq. 10: pixels of band s at step t times `weight` [S, T or 1, H, W]. [T, S * B, C, H, W] -> the same shape."""

    weight: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """[T, S * B, C, H, W] -> the same shape."""
        weight = self.weight.transpose(0, 1)[:, :, None, None]
        return (x.unflatten(1, (len(self.weight), -1)) * weight).flatten(1, 2)


@deferrable
@dataclass(frozen=True, eq=False)
class ChannelMix:
    """Eq. 12: channels in groups, `weight` [G, D, D], plus `bias` [G * D]. [T, N, C, H, W] -> the same shape."""

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """[T, N, C, H, W] -> the same shape."""
        return (self._product(x.movedim(2, -1)) + self.bias).movedim(-1, 2)

    def _product(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, len(self.weight), self.weight.shape[1]).transpose(0, 1)
        return torch.bmm(rows, self.weight).transpose(0, 1).reshape(x.shape)

    def defer(self, waiting: Deferred) -> Deferred:
        """The bias is left to the next step."""
        if len(self.weight) == 1:
            return linear(waiting, self.weight[0].T, self.bias)
        return Deferred(self._product(waiting.tensor()), bias=self.bias)


class HighMixer(nn.Module):
    """Token mixer then channel mixer of one level's high bands (eqs. 10-12), two layers each as released.

    SN -> (* W, BN, SN) twice -> (grouped einsum + b, BN, SN) twice. `grid` (T, H, W) is that of the token weights;
    T = 1 shares them over the steps.
    """

    def __init__(
        self, channels: int, bands: int, grid: tuple[int, int, int], groups: int, v_th: float, surrogate: str
    ) -> None:
        super().__init__()
        width = channels // groups
        self.entry = LIF(v_th, surrogate=surrogate)
        self.token = nn.ParameterList(_weight(bands, *grid) for _ in range(2))
        self.channel = nn.ParameterList(_weight(groups, width, width) for _ in range(2))
        self.bias = nn.ParameterList(_weight(channels) for _ in range(2))
        self.fire = nn.ModuleList(NormLIF(channels, v_th, surrogate) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """High bands [T, S, B, H, W, C], channel last -> spikes of the same shape."""
        return through(x.flatten(1, 2).movedim(-1, 2), self._parts()).movedim(2, -1).unflatten(1, x.shape[1:3])

    def operations(self, x: Tensor, y: Tensor, rate: Rates) -> Iterator[Operation]:
        """Two token products, then two of channels."""
        width = self.channel[0].shape[1]
        for i, source in enumerate(("entry", "fire.0", "fire.1", "fire.2")):
            kind, macs = ("token", x.numel()) if i < 2 else ("channel", x.numel() * width)
            yield Operation(f"{kind}.{i % 2}", f"{kind} mixer", macs, rate(source))

    def exact_sums(self) -> Iterator[ExactSum]:
        """The channel products."""
        for weight in self.channel:
            yield ExactSum((weight,), float(weight.detach().abs().sum(1).max()))

    def _parts(self) -> Iterator[Part]:
        yield self.entry
        for i in range(2):
            yield TokenMix(self.token[i])
            yield self.fire[i]
        for i in range(2):
            yield ChannelMix(self.channel[i], self.bias[i])
            yield self.fire[2 + i]


class WaveMixer(Composed, nn.Module):
    """Spiking wavelet mixer of one or two levels. [T, B, C, H, W] -> the same shape, real-valued.

    `temporal` is the paper's three-dimensional mixer; without it the transform leaves time alone and the weights are
    shared over the steps (the 2D-SWM of table XI). H, W, and T where `temporal`, must be multiples of 2 per level; the
    weights W1..W3 tie the layer to that geometry.
    """

    def __init__(
        self, channels: int, grid: tuple[int, int, int], groups: int, *, temporal: bool = True, levels: int = 2,
        thresholds: MixerThresholds = MixerThresholds(), surrogate: str = "sigmoid",
    ) -> None:  # fmt: skip
        super().__init__()
        T, H, W = grid if temporal else (1, *grid[1:])
        self.temporal, self.levels = temporal, levels
        self.entry = LIF(thresholds.entry, surrogate=surrogate)
        self.transform = LIF(thresholds.transform, surrogate=surrogate)
        self.low_in = LIF(thresholds.low, surrogate=surrogate)
        self.low_out = LIF(thresholds.low, surrogate=surrogate)
        grids = [(max(1, T >> n), H >> n, W >> n) for n in range(1, levels + 1)]
        self.low = _weight(channels, *grids[-1])
        for n, at in enumerate(grids, 1):
            bands = 7 if temporal else 3
            self.add_module(f"high{n}", HighMixer(channels, bands, at, groups, thresholds.high, surrogate))

    @property
    def high(self) -> list[HighMixer]:
        """The mixers of the high bands, the finest level first."""
        return [cast(HighMixer, getattr(self, f"high{n + 1}")) for n in range(self.levels)]

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        low, mixed = self.entry(x).movedim(2, -1), []
        for n, mixer in enumerate(self.high):
            low, high = self.split(self.transform(low) if n else low)
            mixed.append(mixer(high))
        low = self.low_out(self.low_in(low) * self.low.permute(1, 2, 3, 0)[:, None])
        for n, high in enumerate(reversed(mixed)):
            low = self.join(self.transform(low) if n else low, high)
        return low.movedim(-1, 2)

    def operations(self, x: Tensor, y: Tensor, rate: Rates) -> Iterator[Operation]:
        """The low band's product."""
        shrink = (8 if self.temporal else 4) ** self.levels
        yield Operation("low", "global mixer", x.numel() // shrink, rate("low_in"))

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """One level (eqs. 7-8): x [T, B, H, W, C] -> low [T', B, H/2, W/2, C] and high [T', S, B, H/2, W/2, C]."""
        if self._fused(x):
            found: tuple[Tensor, Tensor] = haar_split(x.contiguous(), *self.transform.constants.arguments())
            return found
        bands = dwt(x, TEMPORAL if self.temporal else SPATIAL, self.transform)
        return bands[:, 0].contiguous(), bands[:, 1:]

    def join(self, low: Tensor, high: Tensor) -> Tensor:
        """Inverse of `split`."""
        if self._fused(low):
            joined: Tensor = haar_join(low.contiguous(), high.contiguous(), *self.transform.constants.arguments())
            return joined
        bands = torch.cat((low[:, None], high), 1)
        return idwt(bands, TEMPORAL if self.temporal else SPATIAL, self.transform)

    def _fused(self, x: Tensor) -> bool:
        return self.temporal and has_kernels(x) and has_whole_vectors(x) and can_defer(self.transform)
