"""What every spiking neuron is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Neuron(nn.Module, ABC):
    """A layer of neurons without state between calls: one batch can never leak into the next."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Input currents x [T, ...] -> spikes in {0, 1} of the same shape; every neuron is at rest at first."""
