"""Spikes times a matrix, on CPU: sparse where spikes are rare, the library's product where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import spike_linear_kernel as kernel
from spikinghash.layers.fused import runs_fused
from spikinghash.layers.spike_conv import with_silence
from spikinghash.layers.spike_conv_kernel import count_spikes
from spikinghash.layers.vector_rows import LANES

#: Below this share of ones the sparse kernels are faster, measured from 32 to 192 columns.
RARE = 0.2


def is_rare(x: np.ndarray, columns: int) -> bool:
    """Whether x holds rare spikes and nothing else, and the rows of the result are whole vectors."""
    return columns % LANES == 0 and 0 <= count_spikes(x.reshape(-1)) < RARE * x.size


def is_pointwise(conv: nn.Conv2d) -> bool:
    """Whether `conv` is a matrix product."""
    return (conv.kernel_size, conv.stride, conv.padding, conv.groups) == ((1, 1), (1, 1), (0, 0), 1)


def pays(conv: nn.Conv2d, x: Tensor) -> bool:
    """Whether `conv` is a matrix product that nobody watches, in training on CPU."""
    return (
        conv.training and runs_fused(x) and is_pointwise(conv) and not (conv._forward_hooks or conv._forward_pre_hooks)
    )


class SpikeLinear(torch.autograd.Function):
    """x[N, D] dense rows @ weight[D, K] -> [N, K]. Float32 on CPU."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.rare = is_rare(x.detach().numpy(), weight.shape[1])
        if not ctx.rare:
            return x @ weight
        out = x.new_empty(len(x), weight.shape[1])
        kernel.product(x.detach().numpy(), with_silence(weight.detach().numpy()), out.numpy())
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        gx = gw = None
        if ctx.needs_input_grad[0]:
            gx = grad @ weight.T
        if ctx.needs_input_grad[1]:
            gw = torch.zeros_like(weight, memory_format=torch.contiguous_format) if ctx.rare else x.T @ grad
            if ctx.rare:
                kernel.weight_gradient(x.numpy(), grad.contiguous().numpy(), gw.numpy())
        return gx, gw


def spike_linear(x: Tensor, weight: Tensor) -> Tensor:
    """x[..., D] @ weight[D, K] -> [..., K]."""
    y: Tensor = SpikeLinear.apply(x.reshape(-1, x.shape[-1]), weight)
    return y.view(*x.shape[:-1], weight.shape[1])


def pointwise(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """A 1 x 1 convolution without its bias: x[..., D] -> [..., K]."""
    return spike_linear(x, conv.weight.flatten(1).T)
