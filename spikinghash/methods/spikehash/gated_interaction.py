"""CMSGI: each input gates the channels of the other; no attention between tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from spikinghash.layers.accounts import Composed
from spikinghash.neurons.plif import PLIF


class GatedInteraction(Composed, nn.Module):
    """S*_m = SN(S^_m + S^_m * Linear(S^_other)); an absent input gates nothing, nor does any where `gated` is False."""

    def __init__(self, names: Iterable[str], width: int, v_th: float, surrogate: str, *, gated: bool) -> None:
        super().__init__()
        names = tuple(names)
        self.gates = nn.ModuleDict({name: nn.Linear(width, width) for name in names} if gated else {})
        self.neurons = nn.ModuleDict({name: PLIF(v_th, surrogate=surrogate) for name in names})

    def forward(self, states: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """States [T, B, D] by modality -> spikes of the same shape."""
        found = {}
        for name, state in states.items():
            gates = [self.gates[other](states[other]) for other in states if other != name and other in self.gates]
            found[name] = self.neurons[name](state + state * gates[0] if gates else state)
        return found
