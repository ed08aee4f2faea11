"""SSHSE: spikes of all inputs drive one shared spiking state, which modulates each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from spikinghash.layers.accounts import Composed
from spikinghash.neurons.plif import PLIF


class SharedHashState(Composed, nn.Module):
    """U^t = sum_m Proj_m(S_m^t) + H^(t-1); H = SN(U); S^_m = S_m + S_m * G(H).

    An input that is absent adds nothing to U. Wiring read from the paper's figure; constants are reconstructed.
    """

    def __init__(self, names: Iterable[str], width: int, state: int, v_th: float, surrogate: str) -> None:
        super().__init__()
        self.project = nn.ModuleDict(
            {name: nn.Sequential(nn.Linear(width, state), nn.LayerNorm(state)) for name in names}
        )
        self.neuron = PLIF(v_th, surrogate=surrogate)
        self.widen = nn.Linear(state, width)

    def forward(self, spikes: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Spikes [T, B, D] by modality -> modulated spikes, real numbers of the same shape."""
        drive = torch.stack([self.project[name](s) for name, s in spikes.items()]).sum(0)
        gate = self.widen(self._evolve(drive))
        return {name: s + s * gate for name, s in spikes.items()}

    def _evolve(self, drive: Tensor) -> Tensor:
        """`PLIF` step by step, for each step's spikes [B, d] are added to the drive of the next."""
        leak, v, state, states = self.neuron.w.sigmoid(), torch.zeros_like(drive[0]), torch.zeros_like(drive[0]), []
        for step in drive:
            h = v + (step + state - v) * leak
            state = self.neuron.fire(h - self.neuron.v_th)
            v = (1 - state.detach()) * h
            states.append(state)
        return torch.stack(states)
