"""The network of SpikeHash: encoders, shared state, gated interaction and heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from spikinghash.layers.accounts import Composed
from spikinghash.methods.known_inputs import known_inputs
from spikinghash.methods.spikehash.gated_interaction import GatedInteraction
from spikinghash.methods.spikehash.options import SpikeHashOptions
from spikinghash.methods.spikehash.readout import PositiveNegativeReadout, Readout, TanhReadout
from spikinghash.methods.spikehash.shared_state import SharedHashState
from spikinghash.methods.standardise import Standardise
from spikinghash.neurons.plif import PLIF


@dataclass(frozen=True)
class Coded:
    """Of one modality: its `readout`, firing `rates` [B, D] of S*, and `state` [B, D], the mean of S^ over steps."""

    readout: Readout
    rates: Tensor
    state: Tensor


class SpikeHashNetwork(Composed, nn.Module):
    """Features of one or of both modalities -> what each is coded as.

    Given both, each code depends on both; given one, on that one alone. Variants leave out a part.
    """

    def __init__(self, widths: Mapping[str, int], bits: int, options: SpikeHashOptions, variant: str) -> None:
        super().__init__()
        neuron = options.v_th, options.surrogate
        self.steps = options.steps
        self.standardise = nn.ModuleDict({name: Standardise(width) for name, width in widths.items()})
        self.dropout = nn.Dropout(options.input_dropout)
        self.encode = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(width, options.width), nn.LayerNorm(options.width))
                for name, width in widths.items()
            }
        )
        self.encode_neurons = nn.ModuleDict({name: PLIF(neuron[0], surrogate=neuron[1]) for name in widths})
        self.shared = None if variant == "no-sshse" else SharedHashState(widths, options.width, options.state, *neuron)
        self.interact = GatedInteraction(widths, options.width, *neuron, gated=variant != "no-cmsgi")
        self.heads = nn.ModuleDict({name: _head(options, bits, variant) for name in widths})

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Coded]:
        """Features [B, D_m] by modality -> `Coded` of the same modalities."""
        states = {name: self._spikes(name, x) for name, x in known_inputs(self.encode, inputs).items()}
        if self.shared is not None:
            states = self.shared(states)
        spikes = self.interact(states)
        return {
            name: Coded(self.heads[name](spikes[name]), spikes[name].mean(0), states[name].mean(0)) for name in spikes
        }

    def _spikes(self, name: str, x: Tensor) -> Tensor:
        """[B, D_m] -> [T, B, D]: what is constant is computed once, the neurons see it in every step."""
        current = self.encode[name](self.dropout(self.standardise[name](x)))
        return self.encode_neurons[name](current.expand(self.steps, *current.shape))


def _head(options: SpikeHashOptions, bits: int, variant: str) -> nn.Module:
    if variant == "tanh-head":
        return TanhReadout(options.width, bits)
    return PositiveNegativeReadout(options.width, bits, options.v_th, options.surrogate)
