"""Leaky integrate-and-fire neurons over all time steps at once (paper eqs. 1-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from spikingjelly.activation_based import functional, surrogate
from torch import Tensor

from spikinghash.kernels import lif as kernel
from spikinghash.ops.batch_norm import NORM, affine_form, batch_norm_reference, norm_backward, norm_fake, of_norm
from spikinghash.ops.operator import array, by_step, dense, gradient, operator, saving

#: By name: SpikingJelly's surrogate gradient, its number in the kernels, and the library's default alpha.
SURROGATES = {
    "sigmoid": (surrogate.Sigmoid, kernel.SIGMOID, 4.0),
    "atan": (surrogate.ATan, kernel.ATAN, 2.0),
}
#: The schema of a neuron's constants.
NEURON = "float tau, float v_th, float alpha, int surrogate"


@dataclass(frozen=True)
class NeuronConstants:
    """Decaying input, hard reset to 0, reset detached from the gradient; `surrogate` is a name of `SURROGATES`."""

    tau: float
    v_th: float
    alpha: float
    surrogate: str

    def arguments(self) -> tuple[float, float, float, int]:
        """What the operators take."""
        return self.tau, self.v_th, self.alpha, SURROGATES[self.surrogate][1]

    def dynamics(self) -> tuple[np.float32, np.float32]:
        """What the kernels of inference take."""
        return np.float32(self.tau), np.float32(self.v_th)


def as_kernels_take(tau: float, v_th: float, alpha: float, surrogate: int) -> tuple[Any, ...]:
    """A neuron's constants as float32."""
    return np.float32(tau), np.float32(v_th), np.float32(alpha), surrogate


def _cpu(x: Tensor, *rest: Any) -> Tensor:
    out, form, neuron = dense(x), affine_form(x.shape[-1], *rest[:4]), as_kernels_take(*rest[4:])
    kernel.lif_forward(by_step(array(x)), form, by_step(out.numpy()), *neuron[:2])
    return out


def _backward_cpu(g: Tensor, x: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    out, form, neuron = dense(x), affine_form(x.shape[-1], *rest[:4]), as_kernels_take(*rest[4:])
    sums = kernel.lif_backward(by_step(array(x)), form, by_step(array(g)), by_step(out.numpy()), *neuron)
    return out, *norm_backward(rest[:4], form, sums)


def _backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    x, *norm = ctx.saved_tensors
    gx, *by_norm = gradient(lif_backward, g.contiguous(), x, *norm, *ctx.rest)
    return gx, *of_norm(norm, by_norm), None, None, None, None


lif_backward = operator(
    "lif_backward", f"(Tensor g, Tensor x, {NORM}, {NEURON}) -> (Tensor, Tensor, Tensor, Tensor)",
    cpu=_backward_cpu, fake=lambda g, x, *rest: (dense(x), *norm_fake(x, *rest)),
)  # fmt: skip
#: lif(x [T, ..., C], *norm of C or `NO_NORM`, *constants) -> spikes of LIF(norm(x)), of the same shape.
lif = operator(
    "lif", f"(Tensor x, {NORM}, {NEURON}) -> Tensor", cpu=_cpu, fake=lambda x, *_: dense(x),
    setup=saving(4), backward=_backward,
)  # fmt: skip


def lif_reference(
    x: Tensor, moments: Any, weight: Any, bias: Any, eps: float, tau: float, v_th: float, alpha: float, surrogate: int
) -> Tensor:
    """`lif` by SpikingJelly, on any device and of any type; on CUDA its fused back end, where one is installed."""
    charge = batch_norm_reference(x, moments, weight, bias, eps)
    kind = next(make for make, number, _ in SURROGATES.values() if number == surrogate)
    found = functional.lif_multi_step(
        charge, torch.zeros_like(charge[0]), tau, True, v_th, 0.0, kind(alpha=alpha), True
    )
    spikes: Tensor = found[0]
    return spikes
