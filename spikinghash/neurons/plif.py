"""The LIF neuron with a learnt time constant (Fang et al., ICCV 2021, arXiv 2007.05785, eq. 9)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.neurons.lif import surrogate_of
from spikinghash.neurons.neuron import Neuron, unrolled


class PLIF(Neuron):
    """H = V + (X - V) * sigmoid(w), one w for all neurons of the layer, 1 / sigmoid(w) = `tau` at the start.

    Hard reset to 0, detached; equal to SpikingJelly's `ParametricLIFNode(detach_reset=True, step_mode="m")`.
    """

    def __init__(self, v_th: float = 1.0, tau: float = 2.0, surrogate: str = "sigmoid") -> None:
        super().__init__()
        if tau <= 1.0:
            raise ConfigError(f"tau is {tau}: 1 / sigmoid(w) is above 1; choose a larger one")
        self.v_th = v_th
        self.fire = surrogate_of(surrogate)
        self.w = nn.Parameter(torch.tensor(-math.log(tau - 1.0)))

    def forward(self, x: Tensor) -> Tensor:
        """x [T, ...] -> spikes of the same shape."""
        return unrolled(x, self.w.sigmoid(), self.v_th, self.fire)[0]
