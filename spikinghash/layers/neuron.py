"""The LIF neuron: SpikingJelly's, with fused kernels on CPU and no state left behind on any device.

`LIF` takes [T, ...] and `NormLIF` takes [T, B, C, H, W]; both start every call from v_reset, so one batch can never
leak into the next.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.layers import lif_kernel, taped_ops
from spikinghash.layers.fused import (
    NONE,
    FusedLIF,
    FusedNormLIF,
    NeuronConstants,
    affine_constants,
    affine_spikes,
    lif_spikes,
    runs_fused,
)
from spikinghash.layers.tape import Gradients, Taped

_SURROGATES = {
    "sigmoid": (surrogate.Sigmoid, lif_kernel.SIGMOID, 4.0),
    "atan": (surrogate.ATan, lif_kernel.ATAN, 2.0),
}


class LIF(neuron.LIFNode):
    """Multi-step LIF, equal to SpikingJelly's `LIFNode(decay_input=True, step_mode="m")` (paper eqs. 1-3).

    `tau`, `v_th` as in eqs. 1-2, hard reset to 0, reset detached. `surrogate_name` is "sigmoid" (alpha 4, the
    library's default) or "atan" (alpha 2). CPU float32 runs the fused kernel, everything else SpikingJelly's own.
    """

    def __init__(self, v_th: float = 1.0, tau: float = 1.75, surrogate_name: str = "sigmoid") -> None:
        if surrogate_name not in _SURROGATES:
            raise ConfigError(f"unknown surrogate {surrogate_name!r}; one of: {', '.join(_SURROGATES)}")
        kind, kernel, alpha = _SURROGATES[surrogate_name]
        super().__init__(
            tau=tau, v_threshold=v_th, surrogate_function=kind(alpha=alpha), detach_reset=True, step_mode="m"
        )
        self.constants = NeuronConstants(tau=tau, v_th=v_th, alpha=alpha, surrogate=kernel)

    def multi_step_forward(self, x_seq: Tensor) -> Tensor:
        """x_seq [T, ...] -> spikes of the same shape and memory layout."""
        if not runs_fused(x_seq):
            functional.reset_net(self)
            spikes = super().multi_step_forward(x_seq)
            functional.reset_net(self)
            return spikes
        if x_seq.dim() == 5 and x_seq[0].is_contiguous(memory_format=torch.channels_last):
            return _lif(x_seq.movedim(2, -1).contiguous(), self.constants).movedim(-1, 2)
        return _lif(x_seq.contiguous(), self.constants)

    def forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        """Training on arrays [T, ...]."""
        return taped_ops.lif(x, self.constants)

    def compiled(self) -> Callable[[np.ndarray], np.ndarray]:
        """Inference on arrays [T, ...]."""
        dynamics = self.constants.dynamics()

        def fire(x: np.ndarray) -> np.ndarray:
            spikes = np.empty_like(x)
            T = len(x)
            lif_kernel.lif_forward(x.reshape(T, -1), NONE, NONE, spikes.reshape(T, -1), *dynamics)
            return spikes

        return fire


class NormLIF(nn.Module):
    """Batch norm over (T, B, H, W), then LIF; one fused kernel on CPU. [T, B, C, H, W] -> spikes."""

    def __init__(self, channels: int, v_th: float = 1.0, tau: float = 1.75, surrogate_name: str = "sigmoid") -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.neuron = LIF(v_th, tau, surrogate_name)

    def forward(self, x: Tensor, *, channel_last: bool = False, offset: Tensor | None = None) -> Tensor:
        """[T, B, C, H, W], or [T, ..., C] with `channel_last` -> spikes of the same shape.

        `offset` [C] is a bias still to be added to x.
        """
        return self._fire(x, offset) if channel_last else self._fire(x.movedim(2, -1), offset).movedim(-1, 2)

    def _fire(self, x: Tensor, offset: Tensor | None) -> Tensor:
        norm, k = self.norm, self.neuron.constants
        if self.training and runs_fused(x):
            x = x.contiguous()
            spikes, mean, var = FusedNormLIF.apply(x, offset, norm.weight, norm.bias, norm.eps, k)
            track(norm, mean.numpy(), var.numpy(), x.numel() // x.shape[-1])
            return spikes
        x = x if offset is None else x + offset
        if not runs_fused(x):
            flat = nn.functional.batch_norm(
                x.reshape(-1, x.shape[-1]),
                norm.running_mean,
                norm.running_var,
                norm.weight,
                norm.bias,
                norm.training,
                norm.momentum or 0.0,
                norm.eps,
            )
            return self.neuron(flat.reshape(x.shape))
        if torch.is_grad_enabled() and (x.requires_grad or norm.weight.requires_grad):
            scale, shift = norm_affine(norm)
            return self.neuron(x * scale + shift)
        return affine_spikes(x.contiguous(), *affine_constants(norm), k)


def norm_affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Inference batch norm as (scale [C], shift [C]), computed in float64 and rounded once."""
    if norm.running_mean is None or norm.running_var is None:
        raise TypeError("batch norm without running statistics has no fixed affine form")
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    shift = norm.bias.double() - norm.running_mean.double() * scale
    return scale.float(), shift.float()


def _lif(x: Tensor, k: NeuronConstants) -> Tensor:
    if not torch.is_grad_enabled():
        return lif_spikes(x, k)
    spikes: Tensor = FusedLIF.apply(x, k)
    return spikes


def track(norm: nn.BatchNorm2d, mean: np.ndarray, var: np.ndarray, count: int) -> None:
    """Running statistics as `nn.BatchNorm2d` keeps them: unbiased variance, exponential average. CPU only."""
    momentum = np.float32(norm.momentum or 0.0)
    unbiased = np.float32(count / max(count - 1, 1))
    # in place through numpy: these are a few numbers, and torch's calls would take longer than the kernels
    for kept, seen in ((norm.running_mean, mean), (norm.running_var, var * unbiased)):
        array = kept.numpy()  # type: ignore[union-attr]
        # weights that ran away are the training loop's to report
        with np.errstate(invalid="ignore", over="ignore"):
            array += momentum * (seen - array)
    norm.num_batches_tracked.add_(1)  # type: ignore[union-attr]


def lif_trace(x: Tensor, node: LIF) -> tuple[Tensor, Tensor]:
    """Spikes and membrane potential H (before reset, eq. 1) of a LIF layer; x [T, ...] -> two [T, ...].

    A plain loop for the small hash layer, whose membrane the soft similarity (eq. 19) and the margins need.
    """
    v = torch.zeros_like(x[0])
    spikes, charged = [], []
    for step in x:
        h = v + (step - v) / node.tau
        s = node.surrogate_function(h - node.v_threshold)
        v = (1.0 - s.detach()) * h
        spikes.append(s)
        charged.append(h)
    return torch.stack(spikes), torch.stack(charged)
