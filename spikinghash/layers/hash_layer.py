"""Spiking hash layer: linear, LIF, AND over time (paper eq. 18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.layers import hash_kernel
from spikinghash.layers.fused import NO_SUMS, NONE, NeuronConstants, backward_kernel, runs_fused
from spikinghash.layers.neuron import LIF, lif_trace
from spikinghash.layers.taped_norm import by_step

#: Released constants of the hash neuron: low, so that a bit can fire at every step.
HASH_TAU = 2.0
HASH_THRESHOLD = 0.2

#: Features are rounded to this grid in inference, so that their sums are exact in any order.
FEATURE_GRID = 2.0**-12


@dataclass(frozen=True)
class HashOutput:
    """What a hash layer gives.

    `bits` [B, K] in {0, 1}, differentiable; `rate` [B, K] mean spikes over time; `membrane` [B, K] mean H over time,
    detached (eq. 19); `margin` [B] smallest |H - v_th| over bits and steps, detached.
    """

    bits: Tensor
    rate: Tensor
    membrane: Tensor
    margin: Tensor

    @property
    def codes(self) -> Tensor:
        """[B, K] in {-1, +1} for losses and inner products."""
        return 2.0 * self.bits - 1.0


#: How spikes over time become a bit: eq. 18's AND, or the majority of the steps.
READOUTS = ("and", "rate")


class SpikingHashLayer(nn.Module):
    """f [T, B, C] -> bits = AND_t SN(Linear(f)). The product over time is the AND and has a usable gradient.

    `readout` "rate" sets a bit that fires in at least half of the steps, with the gradient of the rate (straight
    through); the paper's AND is compared with it.
    """

    def __init__(self, channels: int, bits: int, surrogate: str = "sigmoid", readout: str = "and") -> None:
        super().__init__()
        if readout not in READOUTS:
            raise ConfigError(f"unknown readout {readout!r}; one of: {', '.join(READOUTS)}")
        self.readout = readout
        self.linear = nn.Linear(channels, bits)
        self.neuron = LIF(HASH_THRESHOLD, HASH_TAU, surrogate)

    def forward(self, f: Tensor) -> HashOutput:
        """f [T, B, C] -> `HashOutput` of [B, K]."""
        charge = self._charge(f)
        if runs_fused(charge):
            return HashOutput(*_Read.apply(charge.contiguous(), self.neuron.constants, self.readout == "rate"))
        spikes, charged = lif_trace(charge, self.neuron)
        margin = (charged.detach() - self.neuron.v_threshold).abs().amin(dim=(0, 2))
        rate = spikes.mean(0)
        bits = spikes.prod(0) if self.readout == "and" else (rate >= 0.5).to(rate.dtype) + (rate - rate.detach())
        return HashOutput(bits, rate, charged.detach().mean(0), margin)

    def _charge(self, f: Tensor) -> Tensor:
        if self.training:
            return self.linear(f)
        # exact sums: grid features times rounded weights fit float64, whatever the order of addition
        weight, bias = self.linear.weight.double(), self.linear.bias.double()
        return nn.functional.linear(torch.round(f / FEATURE_GRID).double() * FEATURE_GRID, weight, bias).float()


class _Read(torch.autograd.Function):
    """`HashOutput` of charge [T, B, K] in one pass on CPU."""

    @staticmethod
    def forward(ctx: Any, charge: Tensor, k: NeuronConstants, majority: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = charge.detach().numpy()
        bits, rate, membrane = (np.empty(x.shape[1:], np.float32) for _ in range(3))
        margin = np.empty(x.shape[1], np.float32)
        hash_kernel.read(x, *k.dynamics(), majority, bits, rate, membrane, margin)
        ctx.charge, ctx.k, ctx.majority = x, k, majority
        found = tuple(torch.from_numpy(part) for part in (bits, rate, membrane, margin))
        ctx.mark_non_differentiable(*found[2:])
        return found  # type: ignore[return-value]

    @staticmethod
    def backward(ctx: Any, by_bits: Tensor, by_rate: Tensor, *_: Tensor) -> tuple[Tensor, None, None]:
        x, k = ctx.charge, ctx.k
        by_spike, out = np.empty_like(x), np.empty_like(x)
        bits, rate = (np.ascontiguousarray(g.numpy()) for g in (by_bits, by_rate))
        cast(Any, hash_kernel.by_spike)(x, *k.dynamics(), ctx.majority, bits, rate, by_spike)
        arrays = by_step(x), NONE, NONE, by_step(by_spike), by_step(out), NONE
        backward_kernel(x.size)(*arrays, NO_SUMS, NO_SUMS, *k.gradient())
        return torch.from_numpy(out), None, None


def global_average(x: Tensor, *, exact: bool) -> Tensor:
    """Mean over H, W: [T, B, C, H, W] -> [T, B, C]; `exact` sums on the feature grid in float64."""
    if not exact:
        return x.mean(dim=(3, 4))
    return (torch.round(x / FEATURE_GRID).double() * FEATURE_GRID).mean(dim=(3, 4)).float()
