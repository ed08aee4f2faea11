"""Spiking WaveMixer: wavelet transform, spectral mixers, inverse transform (paper section III-C, eqs. 7-12).

Layout inside: channel last [T, B, H, W, C]; bands are a second dimension [T, 7, B, H, W, C].
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spikinghash.layers.haar import dwt3, idwt3
from spikinghash.layers.neuron import LIF, NormLIF

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
    """Token mixer then channel mixer of one level's seven high bands (eqs. 10-12), two layers each as released.

    SN -> (* W, BN, SN) twice -> (grouped einsum + b, BN, SN) twice. [T, 7, B, H, W, C] -> spikes of the same shape.
    """

    def __init__(self, channels: int, grid: tuple[int, int, int], groups: int, v_th: float, surrogate: str) -> None:
        super().__init__()
        T, H, W = grid
        width = channels // groups
        self.groups = groups
        self.entry = LIF(v_th, surrogate_name=surrogate)
        self.token = nn.ParameterList(_weight(7, T, H, W) for _ in range(2))
        self.channel = nn.ParameterList(_weight(groups, width, width) for _ in range(2))
        self.bias = nn.ParameterList(_weight(channels) for _ in range(2))
        self.fire = nn.ModuleList(NormLIF(channels, v_th, surrogate_name=surrogate) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """[T, 7, B, H, W, C] real-valued coefficients -> spikes of the same shape."""
        x = self.entry(x.contiguous())
        for weight, fire in zip(self.token, self.fire[:2], strict=True):
            x = fire(x * weight.transpose(0, 1)[:, :, None, :, :, None], channel_last=True)
        for weight, bias, fire in zip(self.channel, self.bias, self.fire[2:], strict=True):
            x = fire(self._mix(x, weight) + bias, channel_last=True)
        return x

    def _mix(self, x: Tensor, weight: Tensor) -> Tensor:
        """Eq. 12 in groups: x[..., N, D] x W[N, D, K] -> [..., N, K]."""
        if self.groups == 1:
            return x @ weight[0]
        rows = x.reshape(-1, self.groups, weight.shape[1]).transpose(0, 1)
        return torch.bmm(rows, weight).transpose(0, 1).reshape(x.shape)


class WaveMixer(nn.Module):
    """Two-level spiking wavelet mixer. [T, B, C, H, W] -> the same shape, real-valued.

    T, H and W must be multiples of 4; the weights W1..W3 tie the layer to that geometry.
    """

    def __init__(
        self,
        channels: int,
        grid: tuple[int, int, int],
        groups: int,
        *,
        thresholds: MixerThresholds = MixerThresholds(),
        surrogate: str = "sigmoid",
    ) -> None:
        super().__init__()
        T, H, W = grid
        self.entry = LIF(thresholds.entry, surrogate_name=surrogate)
        self.transform = LIF(thresholds.transform, surrogate_name=surrogate)
        self.low_in = LIF(thresholds.low, surrogate_name=surrogate)
        self.low_out = LIF(thresholds.low, surrogate_name=surrogate)
        self.low = _weight(channels, T // 4, H // 4, W // 4)
        self.high1 = HighMixer(channels, (T // 2, H // 2, W // 2), groups, thresholds.high, surrogate)
        self.high2 = HighMixer(channels, (T // 4, H // 4, W // 4), groups, thresholds.high, surrogate)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H, W]."""
        y = self.entry(x.movedim(2, -1).contiguous())
        level1 = dwt3(y, self.transform)
        level2 = dwt3(self.transform(level1[:, 0].contiguous()), self.transform)
        low = self.low_in(level2[:, 0].contiguous()) * self.low.permute(1, 2, 3, 0)[:, None]
        low = self.low_out(low)
        high2 = self.high2(level2[:, 1:])
        high1 = self.high1(level1[:, 1:])
        low1 = self.transform(idwt3(torch.cat([low[:, None], high2], 1), self.transform))
        return idwt3(torch.cat([low1[:, None], high1], 1), self.transform).movedim(-1, 2)
