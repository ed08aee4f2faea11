"""Convolution of spikes: sparse kernels where they are faster than the library, on CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import spike_conv_kernel as kernel
from spikinghash.layers.constants import kept
from spikinghash.layers.fused import runs_fused, threaded
from spikinghash.layers.vector_rows import LANES

_NONE = np.empty(0, np.float32)
#: 1 x 1 convolutions and those of few channels are faster in the library: listing the spikes costs too much there.
_MIN_KERNEL, _MIN_CHANNELS = 3, 32


def pays(conv: nn.Conv2d, x: Tensor) -> bool:
    """Whether x [N, H, W, D] dense goes through the sparse kernels: spikes, into a convolution nobody watches."""
    k = conv.kernel_size[0]
    return (
        runs_fused(x)
        and k >= _MIN_KERNEL
        and conv.in_channels >= _MIN_CHANNELS
        and (conv.kernel_size, conv.padding) == ((k, k), (k // 2, k // 2))
        and (conv.stride, conv.dilation, conv.groups) == ((1, 1), (1, 1), 1)
        and not (conv._forward_hooks or conv._forward_pre_hooks)
        and kernel.count_spikes(x.detach().numpy().reshape(-1)) >= 0
    )


def padded(values: np.ndarray) -> np.ndarray:
    """The last axis filled up with zeros to whole vectors, each in one cache line: half of the loads otherwise."""
    wide = values.shape[-1] + -values.shape[-1] % LANES
    # torch aligns its memory to cache lines, numpy does not
    out: np.ndarray = torch.zeros(*values.shape[:-1], wide).numpy()
    out[..., : values.shape[-1]] = values
    return out


def weight_rows(weight: Tensor) -> np.ndarray:
    """[K, D, k, k] -> [k * k * D, K padded]."""
    rows: np.ndarray = weight.detach().numpy().transpose(2, 3, 1, 0).reshape(-1, weight.shape[0])
    return padded(rows)


def kept_rows(conv: nn.Conv2d) -> np.ndarray:
    """`weight_rows` of a layer in inference."""
    return kept(conv, [conv.weight], lambda: weight_rows(conv.weight))


def bias_of(conv: nn.Conv2d) -> np.ndarray:
    """The bias, zeros where there is none."""
    return np.zeros(len(conv.weight), np.float32) if conv.bias is None else conv.bias.detach().numpy()


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, scale: np.ndarray = _NONE, shift: np.ndarray = _NONE,
    rows: np.ndarray | None = None,
) -> Tensor:  # fmt: skip
    """Spikes x [N, H, W, D], weight [K, D, k, k], bias [K] -> [N, H, W, K], times scale plus shift; no gradient.

    `rows` are the `weight_rows` where they are known.
    """
    out = x.new_empty(*x.shape[:3], weight.shape[0])
    start = np.zeros(weight.shape[0], np.float32) if bias is None else bias.detach().numpy()
    run = kernel.convolve_threads if threaded(x) else kernel.convolve
    arrays = x.detach().numpy(), weight_rows(weight) if rows is None else rows, weight.shape[2], padded(start)
    run(*arrays, scale, shift, out.numpy())
    return out


class SpikeConv(torch.autograd.Function):
    """Convolution of spikes. x [N, H, W, D] dense, weight [K, D, k, k], bias [K] or None -> [N, H, W, K].

    The weight gradient is sparse like the forward pass; the input gradient is dense and the library's.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.biased = bias is not None
        return convolve(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        K, D, k, _ = weight.shape
        grad = grad.contiguous()
        gx = gw = None
        if ctx.needs_input_grad[0]:
            images = grad.movedim(-1, 1), x.movedim(-1, 1)
            half, one, none = [k // 2] * 2, [1, 1], [0, 0]
            mask = [True, False, False]
            gx = torch.ops.aten.convolution_backward(*images, weight, None, one, half, one, False, none, 1, mask)[0]
            gx = gx.movedim(1, -1)
        if ctx.needs_input_grad[1]:
            rows = torch.zeros(k * k * D, K + -K % LANES).numpy()
            kernel.weight_gradient(x.detach().numpy(), grad.numpy(), k, rows)
            gw = torch.from_numpy(rows[:, :K].reshape(k, k, D, K).transpose(3, 2, 0, 1).copy())
        return gx, gw, grad.sum((0, 1, 2)) if ctx.biased else None
