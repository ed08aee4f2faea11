"""Autograd functions around the fused CPU kernels.

Arrays here are channel last and dense: x[T, ..., C]. The callers in `neuron.py` arrange that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikinghash.layers import lif_kernel

_EMPTY = np.empty(0, np.float32)
_PARALLEL_FROM = 1 << 15


@dataclass(frozen=True)
class NeuronConstants:
    """Constants of one LIF layer; `surrogate` is `lif_kernel.SIGMOID` or `lif_kernel.ATAN`."""

    tau: float
    v_th: float
    v_reset: float = 0.0
    decay_input: bool = True
    detach_reset: bool = True
    alpha: float = 4.0
    surrogate: int = lif_kernel.SIGMOID

    def dynamics(self) -> tuple[np.float32, np.float32, np.float32, bool]:
        """What the forward kernels take."""
        return np.float32(self.tau), np.float32(self.v_th), np.float32(self.v_reset), self.decay_input

    def gradient(self) -> tuple[bool, np.float32, int]:
        """What only the backward kernels take."""
        return self.detach_reset, np.float32(self.alpha), self.surrogate


def _rows(x: Tensor) -> np.ndarray:
    array: np.ndarray = x.detach().numpy().reshape(x.shape[0], -1)
    return array


def _threads(x: Tensor) -> bool:
    return x.numel() >= _PARALLEL_FROM and torch.get_num_threads() > 1


def _spikes(x: Tensor, scale: np.ndarray, shift: np.ndarray, channels: int, k: NeuronConstants) -> Tensor:
    out = torch.empty_like(x)
    run = lif_kernel.lif_forward_threads if _threads(x) else lif_kernel.lif_forward
    run(_rows(x), scale, shift, _rows(out), channels, *k.dynamics())
    return out


def _input_gradient(
    x: Tensor, scale: np.ndarray, shift: np.ndarray, grad: Tensor, channels: int, k: NeuronConstants
) -> Tensor:
    out = torch.empty_like(x)
    run = lif_kernel.lif_backward_threads if _threads(x) else lif_kernel.lif_backward
    run(_rows(x), scale, shift, _rows(grad.contiguous()), _rows(out), channels, *k.dynamics(), *k.gradient())
    return out


class FusedLIF(torch.autograd.Function):
    """LIF over the whole time loop. x[T, ...] dense -> spikes of the same shape (paper eqs. 1-3)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, k: NeuronConstants) -> Tensor:
        ctx.save_for_backward(x)
        ctx.k = k
        return _spikes(x, _EMPTY, _EMPTY, 0, k)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return _input_gradient(x, _EMPTY, _EMPTY, grad, 0, ctx.k), None


class FusedNormLIF(torch.autograd.Function):
    """Batch norm with batch statistics, then LIF. x[T, ..., C] dense -> spikes, batch mean [C], batch variance [C]."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, k: NeuronConstants
    ) -> tuple[Tensor, Tensor, Tensor]:
        C = x.shape[-1]
        x2 = x.detach().numpy().reshape(-1, C)
        pivot = x2[0].copy()
        total, square = lif_kernel.channel_sums(x2, x2, pivot, pivot)
        offset = total / x2.shape[0]
        var = np.maximum(square / x2.shape[0] - offset * offset, 0.0)
        mean = pivot + offset
        rstd = 1.0 / np.sqrt(var + eps)
        scale = weight.detach().numpy() * rstd
        shift = bias.detach().numpy() - mean * scale
        scale32, shift32 = scale.astype(np.float32), shift.astype(np.float32)
        ctx.save_for_backward(x, weight)
        ctx.constants = (mean, rstd, scale32, shift32, k)
        mean_t, var_t = torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(var.astype(np.float32))
        ctx.mark_non_differentiable(mean_t, var_t)
        return _spikes(x, scale32, shift32, C, k), mean_t, var_t

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _mean: Tensor, _var: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        x, weight = ctx.saved_tensors
        mean, rstd, scale, shift, k = ctx.constants
        C = x.shape[-1]
        grad_u = _input_gradient(x, scale, shift, grad, C, k)
        g2, x2 = grad_u.numpy().reshape(-1, C), x.detach().numpy().reshape(-1, C)
        mean32 = mean.astype(np.float32)
        grad_bias, centred = lif_kernel.channel_sums(g2, x2, np.zeros_like(mean32), mean32)
        grad_weight = (centred - (mean - mean32) * grad_bias) * rstd
        # dx = w*rstd * (g - sum(g)/R - xhat * sum(g*xhat)/R), with xhat = (x - mean) * rstd written out
        R = x2.shape[0]
        gain = weight.detach().numpy() * rstd
        slope = -gain * rstd * grad_weight / R
        offset = -gain * grad_bias / R - slope * mean
        lif_kernel.norm_backward(g2, x2, gain.astype(np.float32), slope.astype(np.float32), offset.astype(np.float32))
        return (
            grad_u,
            torch.from_numpy(grad_weight.astype(np.float32)),
            torch.from_numpy(grad_bias.astype(np.float32)),
            None,
            None,
        )


def affine_spikes(x: Tensor, scale: Tensor, shift: Tensor, k: NeuronConstants) -> Tensor:
    """Inference: spikes of LIF(x * scale + shift) for dense x[T, ..., C] and float32 scale, shift [C]; no gradient."""
    return _spikes(x, scale.numpy(), shift.numpy(), x.shape[-1], k)
