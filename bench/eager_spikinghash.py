"""Spikinghash written plainly on SpikingJelly's own layers: the peer of `bench/training.py`.

The same network as `spikinghash.methods.spikinghash`, module names included, so that weights load from one into the
other and their spikes can be compared. It is what a user of the library writes: multi-step modules, [T, B, C, H, W]
throughout, one library call an operation, `reset_net` after each batch.
"""

from __future__ import annotations

import math

import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import Tensor, nn

from spikinghash.methods.spikinghash import Size, stage_grids

SURROGATES = {"sigmoid": lambda: surrogate.Sigmoid(alpha=4.0), "atan": lambda: surrogate.ATan(alpha=2.0)}


def lif(v_th: float, kind: str, tau: float = 1.75) -> neuron.LIFNode:
    """SpikingJelly's multi-step LIF node as the paper sets it."""
    return neuron.LIFNode(
        tau=tau, v_threshold=v_th, surrogate_function=SURROGATES[kind](), detach_reset=True, step_mode="m"
    )


class ConvNorm(nn.Module):
    """Convolution, batch norm."""

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool = False) -> None:
        super().__init__()
        self.conv = layer.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias, step_mode="m")
        self.norm = layer.BatchNorm2d(outputs, step_mode="m")

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class NormLIF(nn.Module):
    """Batch norm, LIF."""

    def __init__(self, channels: int, v_th: float, kind: str) -> None:
        super().__init__()
        self.norm = layer.BatchNorm2d(channels, step_mode="m")
        self.neuron = lif(v_th, kind)

    def forward(self, x: Tensor) -> Tensor:
        return self.neuron(self.norm(x))


class ConvNormLIF(nn.Module):
    """Convolution, batch norm, LIF."""

    def __init__(self, inputs: int, outputs: int, kind: str, bias: bool) -> None:
        super().__init__()
        self.conv = layer.Conv2d(inputs, outputs, 1, bias=bias, step_mode="m")
        self.fire = NormLIF(outputs, 1.0, kind)

    def forward(self, x: Tensor) -> Tensor:
        return self.fire(self.conv(x))


def haar(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Low and high half along one axis."""
    a, b = (x.index_select(axis, torch.arange(i, x.shape[axis], 2, device=x.device)) for i in (0, 1))
    return (a + b) / math.sqrt(2.0), (a - b) / math.sqrt(2.0)


def unhaar(low: Tensor, high: Tensor, axis: int) -> Tensor:
    """The inverse of `haar`."""
    pairs = torch.stack([(low + high) / math.sqrt(2.0), (low - high) / math.sqrt(2.0)], axis + 1)
    return pairs.flatten(axis, axis + 1)


def dwt3(x: Tensor, fire: nn.Module) -> list[Tensor]:
    """[T, B, C, H, W] -> eight bands [T/2, B, C, H/2, W/2], LLL first."""
    bands = [x]
    for axis in (0, 3, 4):
        bands = [half for band in bands for half in haar(band, axis)]
        if axis != 4:
            bands = list(_fire_all(bands, fire))
    return bands


def idwt3(bands: list[Tensor], fire: nn.Module) -> Tensor:
    """Eight bands -> [T, B, C, H, W]."""
    for axis in (4, 3, 0):
        bands = [unhaar(bands[i], bands[i + 1], axis) for i in range(0, len(bands), 2)]
        if axis != 0:
            bands = list(_fire_all(bands, fire))
    return bands[0]


def _fire_all(bands: list[Tensor], fire: nn.Module) -> tuple[Tensor, ...]:
    # one call of the neuron, bands side by side in the batch: each call would otherwise need a reset
    out = _fresh(fire, torch.cat(bands, 1))
    return out.chunk(len(bands), 1)


def _fresh(node: nn.Module, x: Tensor) -> Tensor:
    """One node, used several times in a pass, starts each time at rest."""
    functional.reset_net(node)
    return node(x)


class HighMixer(nn.Module):
    """Token mixer, then channel mixer, of seven high bands."""

    def __init__(self, channels: int, grid: tuple[int, int, int], groups: int, v_th: float, kind: str) -> None:
        super().__init__()
        T, H, W = grid
        width = channels // groups
        self.groups = groups
        self.entry = lif(v_th, kind)
        self.token = nn.ParameterList(nn.Parameter(0.02 * torch.randn(7, T, H, W)) for _ in range(2))
        self.channel = nn.ParameterList(nn.Parameter(0.02 * torch.randn(groups, width, width)) for _ in range(2))
        self.bias = nn.ParameterList(nn.Parameter(0.02 * torch.randn(channels)) for _ in range(2))
        self.fire = nn.ModuleList(NormLIF(channels, v_th, kind) for _ in range(4))

    def forward(self, bands: list[Tensor]) -> list[Tensor]:
        x = self.entry(torch.stack(bands, 1))  # [T, 7, B, C, H, W]
        shape = x.shape
        for weight, fire in zip(self.token, self.fire[:2], strict=True):
            x = x * weight.transpose(0, 1)[:, :, None, None]
            x = fire(x.flatten(1, 2)).view(shape)
        for weight, bias, fire in zip(self.channel, self.bias, self.fire[2:], strict=True):
            grouped = x.view(*shape[:3], self.groups, -1, *shape[4:])
            x = torch.einsum("tsbndhw,ndk->tsbnkhw", grouped, weight).reshape(shape) + bias[:, None, None]
            x = fire(x.flatten(1, 2)).view(shape)
        return list(x.unbind(1))


class WaveMixer(nn.Module):
    """Two-level spiking wavelet mixer."""

    def __init__(self, channels: int, grid: tuple[int, int, int], groups: int, size: Size, kind: str) -> None:
        super().__init__()
        T, H, W = grid
        th = size.thresholds
        self.entry, self.transform = lif(th.entry, kind), lif(th.transform, kind)
        self.low_in, self.low_out = lif(th.low, kind), lif(th.low, kind)
        self.low = nn.Parameter(0.02 * torch.randn(channels, T // 4, H // 4, W // 4))
        self.high1 = HighMixer(channels, (T // 2, H // 2, W // 2), groups, th.high, kind)
        self.high2 = HighMixer(channels, (T // 4, H // 4, W // 4), groups, th.high, kind)

    def forward(self, x: Tensor) -> Tensor:
        low1, *high1 = dwt3(self.entry(x), self.transform)
        low2, *high2 = dwt3(_fresh(self.transform, low1), self.transform)
        low = self.low_out(self.low_in(low2) * self.low.transpose(0, 1)[:, None])
        back = idwt3([low, *self.high2(high2)], self.transform)
        return idwt3([_fresh(self.transform, back), *self.high1(high1)], self.transform)


class Attention(nn.Module):
    """Spiking self-attention."""

    def __init__(self, channels: int, heads: int, kind: str) -> None:
        super().__init__()
        self.heads = heads
        self.entry = lif(1.0, kind)
        self.q, self.k, self.v = (ConvNormLIF(channels, channels, kind, bias=False) for _ in range(3))
        self.fire = lif(0.5, kind)
        self.project = ConvNorm(channels, channels, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        T, B, C, H, W = x.shape
        s = self.entry(x)
        q, k, v = (
            p(s).flatten(3).transpose(2, 3).reshape(T, B, H * W, self.heads, -1).transpose(2, 3)
            for p in (self.q, self.k, self.v)
        )
        y = ((q @ k.transpose(-2, -1)) @ v) * 0.125
        return self.project(self.fire(y.transpose(3, 4).reshape(T, B, C, H, W)))


class MLP(nn.Module):
    """Spiking MLP."""

    def __init__(self, channels: int, ratio: int, kind: str) -> None:
        super().__init__()
        self.entry = lif(1.0, kind)
        self.expand = ConvNormLIF(channels, ratio * channels, kind, bias=True)
        self.reduce = ConvNorm(ratio * channels, channels, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.reduce(self.expand(self.entry(x)))


class Block(nn.Module):
    """Residual mixer and MLP."""

    def __init__(self, mixer: nn.Module, channels: int, ratio: int, kind: str) -> None:
        super().__init__()
        self.mixer, self.mlp = mixer, MLP(channels, ratio, kind)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixer(x)
        return x + self.mlp(x)


class Downsample(nn.Module):
    """SN, convolution, batch norm, pool."""

    def __init__(self, inputs: int, outputs: int, pool: bool, kind: str) -> None:
        super().__init__()
        self.entry = lif(1.0, kind)
        self.conv = ConvNorm(inputs, outputs, 3)
        self.pool = layer.MaxPool2d(3, 2, 1, step_mode="m") if pool else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.entry(x))
        return x if self.pool is None else self.pool(x)


class HashLayer(nn.Module):
    """Linear, LIF, AND over time."""

    def __init__(self, channels: int, bits: int, kind: str) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, bits)
        self.neuron = lif(0.2, kind, tau=2.0)

    def forward(self, f: Tensor) -> tuple[Tensor, Tensor]:
        spikes = self.neuron(self.linear(f))
        return spikes.prod(0), spikes.mean(0)


class EagerSpikinghash(nn.Module):
    """Frames [T, B, P, H, W] -> bits [B, K] and logits [B, classes]; call `functional.reset_net` after each batch."""

    def __init__(
        self, size: Size, *, bits: int, classes: int, steps: int, height: int, width: int, kind: str = "sigmoid"
    ) -> None:
        super().__init__()
        grids = stage_grids(size, steps, height, width)
        self.stem = ConvNorm(2, size.stem, 3)
        self.stem_pool = layer.MaxPool2d(3, 2, 1, step_mode="m") if size.stem_pool else None
        inputs = (size.stem, *size.widths[:3])
        stages = []
        for i, channels in enumerate(size.widths):
            layers: list[nn.Module] = [Downsample(inputs[i], channels, size.pool[i], kind)]
            for _ in range(size.blocks[i]):
                mixer: nn.Module = (
                    WaveMixer(channels, (steps, *grids[i]), size.groups[i], size, kind)
                    if i < 2
                    else Attention(channels, size.heads, kind)
                )
                layers.append(Block(mixer, channels, size.ratio, kind))
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList(stages)
        self.hash = HashLayer(size.widths[3], bits, kind)
        self.classifier = nn.Linear(bits, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(x)
        if self.stem_pool is not None:
            x = self.stem_pool(x)
        for stage in self.stages:
            x = stage(x)
        bits, rate = self.hash(x.mean(dim=(3, 4)))
        return bits, self.classifier(rate)
