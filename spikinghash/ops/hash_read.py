"""The neurons of the hash layer and their reading as bits (paper eq. 18)."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from spikinghash.kernels import hash_read as kernel
from spikinghash.ops.lif import NEURON, SURROGATES, lif_backward
from spikinghash.ops.operator import array, dense, operator

Read = tuple[Tensor, Tensor, Tensor, Tensor]


def _dynamics(neuron: tuple[Any, ...]) -> tuple[np.float32, np.float32]:
    return np.float32(neuron[0]), np.float32(neuron[1])


def _cpu(charge: Tensor, majority: bool, *neuron: Any) -> Read:
    found = _fake(charge)
    kernel.read(array(charge), *_dynamics(neuron), majority, *(part.numpy() for part in found))
    return found


def _fake(charge: Tensor, *_: Any) -> Read:
    B, K = charge.shape[1:]
    return dense(charge, B, K), dense(charge, B, K), dense(charge, B, K), dense(charge, B)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Read) -> None:
    ctx.save_for_backward(inputs[0])
    ctx.majority = inputs[1]
    ctx.neuron = inputs[2:]
    ctx.mark_non_differentiable(*output[2:])


def _backward(ctx: Any, by_bits: Tensor, by_rate: Tensor, *_: Tensor) -> tuple[Any, ...]:
    (charge,) = ctx.saved_tensors
    by_spike = hash_spikes_backward(by_bits, by_rate, charge, ctx.majority, *ctx.neuron[:2])
    return lif_backward(by_spike, charge, None, *ctx.neuron)[0], None, None, None, None, None


def _backward_cpu(by_bits: Tensor, by_rate: Tensor, charge: Tensor, majority: bool, *neuron: Any) -> Tensor:
    out, gradients = dense(charge), (array(by_bits), array(by_rate))
    cast(Any, kernel.by_spike)(array(charge), *_dynamics(neuron), majority, *gradients, out.numpy())
    return out


hash_spikes_backward = operator(
    "hash_spikes_backward",
    "(Tensor g_bits, Tensor g_rate, Tensor charge, bool majority, float tau, float v_th) -> Tensor",
    cpu=_backward_cpu, fake=lambda gb, gr, charge, *_: dense(charge),
)  # fmt: skip
#: hash_read(charge [T, B, K], majority, *constants) -> bits and rates [B, K], and without gradient the mean potential
#: before reset [B, K] and the smallest distance to the threshold [B].
hash_read = operator(
    "hash_read", f"(Tensor charge, bool majority, {NEURON}) -> (Tensor, Tensor, Tensor, Tensor)",
    cpu=_cpu, fake=_fake, setup=_setup, backward=_backward,
)  # fmt: skip


def hash_read_reference(charge: Tensor, majority: bool, *neuron: Any) -> Read:
    """`hash_read` in plain torch, on any device.

    The product over time is the AND and has a usable gradient; the majority has that of the rate (straight through).
    """
    spikes, potential = lif_trace(charge, *neuron)
    margin = (potential.detach() - neuron[1]).abs().amin(dim=(0, 2))
    rate = spikes.mean(0)
    bits = (rate >= 0.5).to(rate.dtype) + (rate - rate.detach()) if majority else spikes.prod(0)
    return bits, rate, potential.detach().mean(0), margin


def lif_trace(x: Tensor, tau: float, v_th: float, alpha: float, surrogate: int) -> tuple[Tensor, Tensor]:
    """Spikes and membrane potential H before reset (eq. 1), both [T, ...], by a loop over the steps."""
    kind = next(make for make, number, _ in SURROGATES.values() if number == surrogate)(alpha=alpha)
    v = torch.zeros_like(x[0])
    spikes, charged = [], []
    for step in x:
        h = v + (step - v) / tau
        s = kind(h - v_th)
        v = (1.0 - s.detach()) * h
        spikes.append(s)
        charged.append(h)
    return torch.stack(spikes), torch.stack(charged)
