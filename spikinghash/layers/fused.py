"""Autograd functions around the fused CPU kernels.

Arrays here are channel last and dense: x[T, ..., C]. The callers in `neuron.py` and `conv.py` arrange that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import lif_kernel, norm_kernel
from spikinghash.layers.constants import kept, norm_tensors

#: No scale, or no shift.
NONE = np.empty(0, np.float32)
#: No sums per group of blocks.
NO_SUMS = np.empty((0, 0), np.float64)
_PARALLEL_FROM = 1 << 15


@dataclass(frozen=True)
class NeuronConstants:
    """Constants of one LIF layer: decaying input, hard reset to 0, reset detached from the gradient.

    `surrogate` is `lif_kernel.SIGMOID` or `lif_kernel.ATAN`.
    """

    tau: float
    v_th: float
    alpha: float = 4.0
    surrogate: int = lif_kernel.SIGMOID

    def dynamics(self) -> tuple[np.float32, np.float32]:
        """What the forward kernels take."""
        return np.float32(self.tau), np.float32(self.v_th)

    def gradient(self) -> tuple[np.float32, np.float32, np.float32, int]:
        """What the backward kernels take."""
        return *self.dynamics(), np.float32(self.alpha), self.surrogate


def runs_fused(x: Tensor) -> bool:
    """Whether the CPU kernels apply: float32 on CPU."""
    return x.device.type == "cpu" and x.dtype == torch.float32


def is_fixed(module: nn.Module, x: Tensor) -> bool:
    """Whether `module` may run as one kernel: inference on CPU without gradient, and nobody watches its parts."""
    return not module.training and not torch.is_grad_enabled() and runs_fused(x) and not is_watched(module)


def parts(module: nn.Module) -> tuple[nn.Module, ...]:
    """`module.modules()`, kept with the module: walking the tree at every call takes 1 % of encoding."""
    found: tuple[nn.Module, ...] | None = module.__dict__.get("_parts")
    if found is None:
        found = module.__dict__["_parts"] = tuple(module.modules())
    return found


def is_watched(module: nn.Module) -> bool:
    """Whether `module` or one of its parts has a hook."""
    found: tuple[dict[int, Any], ...] | None = module.__dict__.get("_watchers")
    if found is None:
        # a module keeps its dictionaries for life
        found = module.__dict__["_watchers"] = tuple(
            hooks
            for m in parts(module)
            for hooks in (m._forward_hooks, m._forward_pre_hooks, m._backward_hooks, m._backward_pre_hooks)
        )
    return any(found)


def rows(x: Tensor, columns: int = -1) -> np.ndarray:
    """A dense tensor as a float32 array [..., columns], by default [T, N]."""
    array: np.ndarray = x.detach().numpy()
    return array.reshape(x.shape[0], -1) if columns < 0 else array.reshape(-1, columns)


def threaded(values: int) -> bool:
    """Whether a kernel on so many values is worth more than one thread, and may have it."""
    return values >= _PARALLEL_FROM and torch.get_num_threads() > 1


def forward_kernel(values: int) -> Any:
    """`lif_kernel.lif_forward`, or the same on threads."""
    return lif_kernel.lif_forward_threads if threaded(values) else lif_kernel.lif_forward


def backward_kernel(values: int) -> Any:
    """`lif_kernel.lif_backward`, or the same on threads."""
    return lif_kernel.lif_backward_threads if threaded(values) else lif_kernel.lif_backward


def _spikes(x: Tensor, scale: np.ndarray, shift: np.ndarray, k: NeuronConstants) -> Tensor:
    out = torch.empty_like(x)
    forward_kernel(x.numel())(rows(x), scale, shift, rows(out), *k.dynamics())
    return out


class FusedLIF(torch.autograd.Function):
    """LIF over the whole time loop. x[T, ...] dense -> spikes of the same shape (paper eqs. 1-3)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, k: NeuronConstants) -> Tensor:
        ctx.save_for_backward(x)
        ctx.k = k
        return _spikes(x, NONE, NONE, k)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        out = torch.empty_like(x)
        run = backward_kernel(x.numel())
        inputs = rows(x), NONE, NONE, rows(grad.contiguous()), rows(out), NONE
        run(*inputs, NO_SUMS, NO_SUMS, *ctx.k.gradient())
        return out, None


@dataclass(frozen=True)
class _Statistics:
    """Batch statistics [C] in float64 and the affine form of the norm in float32."""

    mean: np.ndarray
    var: np.ndarray
    rstd: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    def tensors(self, offset: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean, of what `offset` was added to, and biased variance."""
        mean = self.mean if offset is None else self.mean + offset.detach().numpy()
        return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(self.var.astype(np.float32))


def _nothing(offset: Tensor | None) -> Tensor | None:
    return None if offset is None else torch.zeros_like(offset)


def _statistics(x: np.ndarray, weight: Tensor, bias: Tensor, eps: float) -> _Statistics:
    """Statistics of the columns of x[R, C]."""
    return _Statistics(*norm_kernel.statistics(x, weight.detach().numpy(), bias.detach().numpy(), eps))


def _norm_gradients(
    x: np.ndarray, grad: np.ndarray, out: np.ndarray, total: np.ndarray, centred: np.ndarray, s: _Statistics, w: Tensor
) -> tuple[Tensor, Tensor]:
    """Write the input gradient of a batch norm to out[R, C] and return those of weight and bias.

    `grad` is that of the output, `total` and `centred` its column sums, plain and times x - float32(mean).
    """
    constants = total, centred, s.mean, s.rstd, w.detach().numpy()
    grad_weight, grad_bias = norm_kernel.norm_gradients(grad, x, out, *constants)
    return torch.from_numpy(grad_weight), torch.from_numpy(grad_bias)


class FusedNormLIF(torch.autograd.Function):
    """Batch norm with batch statistics, then LIF. x[T, ..., C] dense -> spikes, batch mean [C], batch variance [C].

    `offset` [C] or None is a bias before the norm: it moves the mean alone and its gradient is zero.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, offset: Tensor | None, weight: Tensor, bias: Tensor, eps: float, k: NeuronConstants
    ) -> tuple[Tensor, Tensor, Tensor]:
        s = _statistics(rows(x, x.shape[-1]), weight, bias, eps)
        ctx.save_for_backward(x, offset, weight)
        ctx.constants = (s, k)
        mean, var = s.tensors(offset)
        ctx.mark_non_differentiable(mean, var)
        return _spikes(x, s.scale, s.shift, k), mean, var

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _mean: Tensor, _var: Tensor) -> tuple[Tensor | None, ...]:
        x, offset, weight = ctx.saved_tensors
        s, k = ctx.constants
        C = x.shape[-1]
        out = torch.empty_like(x)
        totals, products = np.zeros((2, lif_kernel.group_count(x[0].numel(), C), C))
        run = backward_kernel(x.numel())
        inputs = rows(x), s.scale, s.shift, rows(grad.contiguous()), rows(out), s.mean.astype(np.float32)
        run(*inputs, totals, products, *k.gradient())
        grad_u = rows(out, C)
        gradients = _norm_gradients(rows(x, C), grad_u, grad_u, totals.sum(0), products.sum(0), s, weight)
        return out, _nothing(offset), *gradients, None, None


class FusedNorm(torch.autograd.Function):
    """Batch norm with batch statistics. x[..., C] dense -> the same shape, batch mean [C], batch variance [C].

    `offset` as in `FusedNormLIF`.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, offset: Tensor | None, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        s = _statistics(rows(x, x.shape[-1]), weight, bias, eps)
        ctx.save_for_backward(x, offset, weight)
        ctx.statistics = s
        mean, var = s.tensors(offset)
        ctx.mark_non_differentiable(mean, var)
        return affine(x, s.scale, s.shift), mean, var

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _mean: Tensor, _var: Tensor) -> tuple[Tensor | None, ...]:
        x, offset, weight = ctx.saved_tensors
        s: _Statistics = ctx.statistics
        C = x.shape[-1]
        g, data, out = rows(grad.contiguous(), C), rows(x, C), torch.empty_like(x)
        mean = s.mean.astype(np.float32)
        total, centred = norm_kernel.channel_sums(g, data, np.zeros_like(mean), mean)
        return out, _nothing(offset), *_norm_gradients(data, g, rows(out, C), total, centred, s, weight), None


def affine_constants(norm: nn.BatchNorm2d) -> tuple[np.ndarray, np.ndarray]:
    """As `neuron.norm_affine`, for CPU and without gradient: a dozen tensor operations cost more than the kernel."""
    return kept(norm, norm_tensors(norm), lambda: _affine_constants(norm))


def _affine_constants(norm: nn.BatchNorm2d) -> tuple[np.ndarray, np.ndarray]:
    tensors: tuple[Any, ...] = norm.running_mean, norm.running_var, norm.weight, norm.bias
    mean, var, weight, bias = (t.detach().numpy().astype(np.float64) for t in tensors)
    scale = weight / np.sqrt(var + norm.eps)
    return scale.astype(np.float32), (bias - mean * scale).astype(np.float32)


def affine(x: Tensor, scale: np.ndarray, shift: np.ndarray) -> Tensor:
    """x * scale + shift for dense x[..., C] and float32 [C], each operation rounded; no gradient."""
    out = torch.empty_like(x)
    norm_kernel.affine(rows(x, x.shape[-1]), scale, shift, rows(out, x.shape[-1]))
    return out


def affine_spikes(x: Tensor, scale: np.ndarray, shift: np.ndarray, k: NeuronConstants) -> Tensor:
    """Inference: spikes of LIF(x * scale + shift) for dense x[T, ..., C] and float32 scale, shift [C]; no gradient."""
    return _spikes(x, scale, shift, k)


def lif_spikes(x: Tensor, k: NeuronConstants) -> Tensor:
    """Inference: spikes of LIF(x) for dense x[T, ...]; no gradient."""
    return _spikes(x, NONE, NONE, k)
