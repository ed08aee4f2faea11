"""What every spiking neuron is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn


class Neuron(nn.Module, ABC):
    """A layer of neurons without state between calls: one batch can never leak into the next."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Input currents x [T, ...] -> spikes in {0, 1} of the same shape; every neuron is at rest at first."""


def unrolled(x: Tensor, leak: Tensor | float, v_th: float, fire: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """H = V + (X - V) * `leak`; S = `fire`(H - `v_th`); hard reset to 0, detached: step by step, for any derivative.

    x [T, ...] -> spikes and, without gradient, potentials H before the reset, both of the same shape.
    """
    v, spikes, potential = torch.zeros_like(x[0]), [], []
    for step in x:
        h = v + (step - v) * leak
        spikes.append(fire(h - v_th))
        v = (1.0 - spikes[-1].detach()) * h
        potential.append(h.detach())
    return torch.stack(spikes), torch.stack(potential)
