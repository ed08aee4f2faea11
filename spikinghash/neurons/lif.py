"""The leaky integrate-and-fire neuron (paper eqs. 1-3)."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from spikinghash.errors import ConfigError
from spikinghash.neurons.neuron import Neuron
from spikinghash.ops.batch_norm import NO_NORM
from spikinghash.ops.lif import SURROGATES, NeuronConstants, lif, lif_reference


class LIF(Neuron):
    """Multi-step LIF, equal to SpikingJelly's `LIFNode(decay_input=True, detach_reset=True, step_mode="m")`.

    H = V + (X - V) / `tau`; S = H >= `v_th`; hard reset to 0, detached from the gradient. `surrogate` is "sigmoid"
    (alpha 4, the library's default) or "atan" (alpha 2). All three may be changed at any time. float32 on CPU runs our
    operator, everything else SpikingJelly's multi-step function.
    """

    def __init__(self, v_th: float = 1.0, tau: float = 1.75, surrogate: str = "sigmoid") -> None:
        super().__init__()
        constants_of(v_th, tau, surrogate)
        self.v_th, self.tau, self.surrogate = v_th, tau, surrogate

    @property
    def constants(self) -> NeuronConstants:
        """As they are now."""
        return constants_of(self.v_th, self.tau, self.surrogate)

    def forward(self, x: Tensor) -> Tensor:
        """x [T, ...] -> spikes of the same shape and memory layout."""
        arguments = self.constants.arguments()
        if not has_kernels(x):
            _warn_without_fused(x)
            return lif_reference(x, *NO_NORM, *arguments)
        if x.dim() == 5 and x[0].is_contiguous(memory_format=torch.channels_last):
            return lif(x.movedim(2, -1).contiguous(), *NO_NORM, *arguments).movedim(-1, 2)
        return lif(x.contiguous(), *NO_NORM, *arguments)

    def extra_repr(self) -> str:
        """The constants."""
        return f"v_th={self.v_th}, tau={self.tau}, surrogate={self.surrogate!r}"


def constants_of(v_th: float, tau: float, surrogate: str) -> NeuronConstants:
    """With the library's alpha of that surrogate; `ConfigError` for an unknown one."""
    return NeuronConstants(tau, v_th, known_surrogate(surrogate)[2], surrogate)


def known_surrogate(name: str) -> tuple[Any, int, float]:
    """The entry of `SURROGATES` of that name; `ConfigError` for an unknown one."""
    if name not in SURROGATES:
        raise ConfigError(f"unknown surrogate {name!r}; one of: {', '.join(SURROGATES)}")
    return SURROGATES[name]


def surrogate_of(name: str) -> Any:
    """SpikingJelly's surrogate gradient of that name with its default alpha; `ConfigError` for an unknown one."""
    kind, _, alpha = known_surrogate(name)
    return kind(alpha=alpha)


def has_kernels(x: Tensor) -> bool:
    """Whether our operators take x: float32 on CPU, without autocast, and nobody asks for forward-mode derivatives."""
    plain = not torch.is_autocast_enabled("cpu") and forward_ad._current_level < 0
    return plain and x.device.type == "cpu" and x.dtype == torch.float32


def _warn_without_fused(x: Tensor) -> None:
    if x.is_cuda and not any(importlib.util.find_spec(name) for name in ("triton", "cupy")):
        # the same text from the same place is shown once
        warnings.warn("neither Triton nor CuPy is installed: neurons on CUDA run step by step", stacklevel=3)
