"""The token mixer's product: each pixel's channels times one weight (paper eq. 10)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from spikinghash.kernels import norm
from spikinghash.kernels import token as kernel
from spikinghash.ops.moments import line_of, moments_reference
from spikinghash.ops.operator import array, by_channel, dense, operator


def _product(x: Tensor, weight: Tensor) -> Tensor:
    return x * weight.transpose(0, 1)[:, :, None, :, :, None]


def _cpu(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    y = _product(x.detach().contiguous(), weight.detach())
    return y, torch.from_numpy(norm.moments(by_channel(y.numpy())))


def _fake(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    return dense(x), x.new_empty((2, x.shape[-1]), dtype=torch.float64)


def _setup(ctx: Any, inputs: tuple[Tensor, Tensor], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs, output[1])


def _backward(ctx: Any, g: Tensor, g_moments: Tensor) -> tuple[Tensor, Tensor]:
    return token_backward(g.contiguous(), g_moments, *ctx.saved_tensors)


def _backward_cpu(g: Tensor, g_moments: Tensor, x: Tensor, weight: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
    gx, gw = dense(x), torch.zeros(weight.shape)
    pixels, tokens = (*x.shape[:3], -1, x.shape[-1]), (*weight.shape[:2], -1)
    share = line_of(array(g_moments), array(found), x.numel() // x.shape[-1])
    arrays = array(g).reshape(pixels), array(x).reshape(pixels), array(weight).reshape(tokens), share
    kernel.token_backward(*arrays, gx.numpy().reshape(pixels), gw.numpy().reshape(tokens))
    return gx, gw


token_backward = operator(
    "token_backward", "(Tensor g, Tensor g_moments, Tensor x, Tensor weight, Tensor moments) -> (Tensor, Tensor)",
    cpu=_backward_cpu, fake=lambda g, gm, x, weight, found: (dense(x), dense(weight)),
)  # fmt: skip
#: token(x [T, S, B, H, W, C], weight [S, T or 1, H, W]) -> x * weight and its moments [2, C].
token = operator(
    "token", "(Tensor x, Tensor weight) -> (Tensor, Tensor)", cpu=_cpu, fake=_fake, setup=_setup, backward=_backward
)


def token_reference(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """`token` in plain torch."""
    y = _product(x, weight)
    return y, moments_reference(y)
