"""Leaky integrate-and-fire neurons over all time steps at once (paper eqs. 1-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from spikingjelly.activation_based import functional, surrogate
from torch import Tensor

from spikinghash.kernels import lif as kernel
from spikinghash.ops.affine import affine_reference, by_line, first_row
from spikinghash.ops.operator import array, by_step, dense, gradient, operator

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


def affine_rows(line: Tensor | None, pivot: np.ndarray | None = None) -> np.ndarray:
    """Scale, shift, and a pivot for sums, float32 [3, C]; [3, 0] for no affine step."""
    if line is None:
        return np.empty((3, 0), np.float32)
    found = array(line).astype(np.float32)
    return np.concatenate((found, (found[1] if pivot is None else pivot)[None]))


def _cpu(x: Tensor, line: Tensor | None, tau: float, v_th: float, alpha: float, surrogate: int) -> Tensor:
    out, (scale, shift, _) = dense(x), affine_rows(line)
    kernel.lif_forward(by_step(array(x)), scale, shift, by_step(out.numpy()), np.float32(tau), np.float32(v_th))
    return out


def _backward_cpu(
    g: Tensor, x: Tensor, line: Tensor | None, tau: float, v_th: float, alpha: float, surrogate: int
) -> tuple[Tensor, Tensor]:
    C, values, out = 0 if line is None else x.shape[-1], array(x), dense(x)
    pivot = first_row(values.reshape(-1, max(x.shape[-1], 1)))[:C]
    scale, shift, _ = affine_rows(line)
    arrays = by_step(values), scale, shift, by_step(array(g)), by_step(out.numpy()), pivot
    sums = kernel.lif_backward(*arrays, np.float32(tau), np.float32(v_th), np.float32(alpha), surrogate)
    return out, by_line(sums[0], sums[1], pivot) if C else torch.empty(0, dtype=torch.float64)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.neuron = inputs[2:]


def _backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    x, line = ctx.saved_tensors
    gx, g_line = gradient(lif_backward, g.contiguous(), x, line, *ctx.neuron)
    return gx, None if line is None else g_line, None, None, None, None


def _backward_fake(g: Tensor, x: Tensor, line: Tensor | None, *_: float) -> tuple[Tensor, Tensor]:
    return dense(x), x.new_empty(0, dtype=torch.float64) if line is None else torch.empty_like(line)


lif_backward = operator(
    "lif_backward", f"(Tensor g, Tensor x, Tensor? affine, {NEURON}) -> (Tensor, Tensor)",
    cpu=_backward_cpu, fake=_backward_fake,
)  # fmt: skip
#: lif(x [T, ..., C], affine float64 [2, C] or None, *constants) -> spikes of LIF(x * scale + shift), of the same shape.
lif = operator(
    "lif", f"(Tensor x, Tensor? affine, {NEURON}) -> Tensor",
    cpu=_cpu, fake=lambda x, line, *_: dense(x), setup=_setup, backward=_backward,
)  # fmt: skip


def lif_reference(x: Tensor, line: Tensor | None, tau: float, v_th: float, alpha: float, surrogate: int) -> Tensor:
    """`lif` by SpikingJelly, on any device and of any type; on CUDA its fused back end, where one is installed."""
    charge = x if line is None else affine_reference(x, line)
    kind = next(make for make, number, _ in SURROGATES.values() if number == surrogate)
    rest = torch.zeros_like(charge[0])
    found = functional.lif_multi_step(charge, rest, tau, True, v_th, 0.0, kind(alpha=alpha), True)
    spikes: Tensor = found[0]
    return spikes
