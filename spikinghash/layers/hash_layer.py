"""Spiking hash layer: linear, LIF, AND over time (paper eq. 18)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.layers.accounts import Composed, ExactSum, Operation, Rates
from spikinghash.neurons.lif import surrogate_of
from spikinghash.neurons.neuron import unrolled

#: Released constants of the hash neuron: low, so that a bit can fire at every step.
HASH_TAU = 2.0
HASH_THRESHOLD = 0.2

#: Features are rounded to this grid in inference, so that their sums are exact in any order.
FEATURE_GRID = 2.0**-12
_WEIGHT_BITS = 16


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


class HashNeurons(Composed, nn.Module):
    """The neurons of the hash layer, read as bits: charge [T, B, K] -> `HashOutput` of [B, K].

    `readout` "rate" sets a bit that fires in at least half of the steps, with the gradient of the rate (straight
    through); the paper's AND is compared with it.
    """

    def __init__(self, surrogate: str, readout: str) -> None:
        super().__init__()
        if readout not in READOUTS:
            raise ConfigError(f"unknown readout {readout!r}; one of: {', '.join(READOUTS)}")
        self.readout = readout
        self.v_th, self.tau, self.surrogate = HASH_THRESHOLD, HASH_TAU, surrogate

    def forward(self, charge: Tensor) -> HashOutput:
        """Charge [T, B, K] -> `HashOutput` of [B, K]."""
        spikes, potential = unrolled(charge, 1.0 / self.tau, self.v_th, surrogate_of(self.surrogate))
        margin = (potential - self.v_th).abs().amin(dim=(0, 2))
        rate = spikes.mean(0)
        if self.readout == "and":
            return HashOutput(spikes.prod(0), rate, potential.mean(0), margin)
        bits = (rate >= 0.5).to(rate.dtype) + (rate - rate.detach())
        return HashOutput(bits, rate, potential.mean(0), margin)


class ExactLinear(Composed, nn.Linear):
    """`nn.Linear`; in inference of features on a grid, by weights on a grid: exact, whatever the order of addition."""

    def forward(self, f: Tensor) -> Tensor:
        """f [..., C] -> [..., K] float32."""
        if self.training:
            return super().forward(f)
        weight, bias = self.weight.double(), self.bias.double()
        return nn.functional.linear(_on_grid(f), weight, bias).to(f.dtype)


class SpikingHashLayer(nn.Module):
    """f [T, B, C] -> bits = AND_t SN(Linear(f)) (eq. 18); the product over time is the AND and has a gradient."""

    def __init__(self, channels: int, bits: int, surrogate: str = "sigmoid", readout: str = "and") -> None:
        super().__init__()
        self.linear = ExactLinear(channels, bits)
        self.neuron = HashNeurons(surrogate, readout)

    def forward(self, f: Tensor) -> HashOutput:
        """f [T, B, C] -> `HashOutput` of [B, K]."""
        out: HashOutput = self.neuron(self.linear(f))
        return out

    def operations(self, x: Tensor, y: HashOutput, rate: Rates) -> Iterator[Operation]:
        """One matrix product of real-valued means."""
        yield Operation("", "hash layer", x.numel() * self.linear.out_features)

    def exact_sums(self) -> Iterator[ExactSum]:
        """Features of up to 38 bits times weights of 16, in float64."""
        weight = self.linear.weight
        yield ExactSum((weight, self.linear.bias), float(weight.detach().abs().max()), _WEIGHT_BITS)


def global_average(x: Tensor, *, exact: bool) -> Tensor:
    """Mean over H, W: [T, B, C, H, W] -> [T, B, C]; `exact` sums on the feature grid in float64."""
    if not exact:
        return x.mean(dim=(3, 4))
    return _on_grid(x).mean(dim=(3, 4)).to(x.dtype)


def _on_grid(f: Tensor) -> Tensor:
    """Features on their grid, float64; the gradient goes straight through."""
    found = torch.round(f / FEATURE_GRID).double() * FEATURE_GRID
    return found.detach() + (f - f.detach()) if f.requires_grad else found
