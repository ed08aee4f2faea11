"""Mean and variance over all but the channels: what a batch norm learns of a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from spikinghash.kernels import norm
from spikinghash.ops.operator import array, by_channel, dense, gradient, operator, saving


def _cpu(x: Tensor) -> Tensor:
    return torch.from_numpy(norm.moments(by_channel(array(x))))


def _fake(x: Tensor) -> Tensor:
    return x.new_empty((2, x.shape[-1]), dtype=torch.float64)


def _backward(ctx: Any, g: Tensor) -> tuple[Tensor]:
    return (gradient(moments_backward, g, *ctx.saved_tensors),)


def _backward_cpu(g: Tensor, x: Tensor, found: Tensor) -> Tensor:
    line, out = norm.moments_backward(array(g), array(found), x.numel() // x.shape[-1]), dense(x)
    norm.affine(by_channel(array(x)), line[0], line[1], by_channel(out.numpy()))
    return out


moments_backward = operator(
    "moments_backward", "(Tensor g, Tensor x, Tensor moments) -> Tensor",
    cpu=_backward_cpu, fake=lambda g, x, found: dense(x),
)  # fmt: skip
#: moments(x [..., C]) -> float64 [2, C].
moments = operator(
    "moments", "(Tensor x) -> Tensor", cpu=_cpu, fake=_fake, setup=saving(1, outputs=True), backward=_backward
)


def moments_reference(x: Tensor) -> Tensor:
    """`moments` in plain torch."""
    rows = x.double().flatten(0, -2)
    return torch.stack((rows.mean(0), rows.var(0, unbiased=False)))
