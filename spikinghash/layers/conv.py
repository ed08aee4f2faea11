"""Convolution with batch norm, time folded into the batch (convolutions act per time step)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import spike_conv, spike_linear, taped_ops
from spikinghash.layers.fused import FusedNorm, affine, affine_constants, runs_fused
from spikinghash.layers.neuron import NormLIF, norm_affine, track
from spikinghash.layers.pool import is_plain_pool, pool
from spikinghash.layers.program import Step, plain
from spikinghash.layers.tape import Gradients, Taped


def per_step(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a stateless image layer to every step; [T, B, C, H, W] -> [T, B, C', H', W'], channels-last memory."""
    images = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    y = pool(layer, images) if is_plain_pool(layer) else layer(images)
    return y.unflatten(0, x.shape[:2])


class FixedNorm(nn.BatchNorm2d):
    """Batch norm whose inference form is a separate multiplication and addition.

    The library's fused loop may contract them differently in vector body and tail, and then a value depends on its
    place in the batch.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same shape."""
        if self.training:
            return self.by_batch(x.movedim(1, -1)).movedim(-1, 1) if runs_fused(x) else super().forward(x)
        if self.fixed(x):
            return affine(x.movedim(1, -1).contiguous(), *affine_constants(self)).movedim(-1, 1)
        scale, shift = norm_affine(self)
        return x * scale[:, None, None] + shift[:, None, None]

    def fixed(self, x: Tensor) -> bool:
        """Whether a constant affine kernel serves for x: inference on CPU without gradient."""
        graded = torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad)
        return not self.training and not graded and runs_fused(x)

    def by_batch(self, x: Tensor, offset: Tensor | None = None) -> Tensor:
        """Training on CPU: the norm of x [..., C] plus `offset` [C]."""
        y, mean, var = FusedNorm.apply(x.contiguous(), offset, self.weight, self.bias, self.eps)
        track(self, mean.numpy(), var.numpy(), x.numel() // x.shape[-1])
        return y


class ConvNorm(nn.Module):
    """k x k convolution, batch norm. [T, B, C, H, W] -> [T, B, C', H, W]."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
        self.norm = FixedNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C', H, W], real-valued."""
        if spike_linear.pays(self.conv, x) and not self.norm._forward_hooks:
            y = spike_linear.pointwise(x.movedim(2, -1), self.conv)
            return self.norm.by_batch(y, self.conv.bias).movedim(-1, 2)
        rows = x.movedim(2, -1).contiguous().flatten(0, 1)
        if not spike_conv.pays(self.conv, rows):
            return per_step(self.norm, per_step(self.conv, x))
        y = spike_conv.SpikeConv.apply(rows, self.conv.weight, self.conv.bias)
        return per_step(self.norm, y.unflatten(0, x.shape[:2]).movedim(-1, 2))

    def forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        """Training on arrays of spikes [T, B, H, W, C] -> [T, B, H, W, C']."""
        y, conv_back = taped_ops.convolution(x, self.conv, grads)
        z, norm_back = taped_ops.normed(y, self.norm, grads, self.conv.bias)
        return z, lambda g: conv_back(norm_back(g))

    def compiled_for_spikes(self) -> Step:
        """Inference on arrays of spikes [T, B, H, W, C] -> [T, B, H, W, C']."""
        if not spike_conv.is_plain(self.conv):
            return plain(self)
        convolve = spike_conv.convolution(self.conv, affine_constants(self.norm))

        def run(x: np.ndarray) -> np.ndarray:
            y = convolve(x.reshape(-1, *x.shape[2:]))
            return y.reshape(*x.shape[:4], -1)

        return run


class ConvNormLIF(nn.Module):
    """k x k convolution, batch norm, LIF. [T, B, C, H, W] -> spikes [T, B, C', H, W]."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool, v_th: float, surrogate: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
        self.fire = NormLIF(outputs, v_th, surrogate_name=surrogate)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> spikes [T, B, C', H, W]."""
        if spike_linear.pays(self.conv, x):
            y = spike_linear.pointwise(x.movedim(2, -1), self.conv)
            return self.fire(y, channel_last=True, offset=self.conv.bias).movedim(-1, 2)
        return self.fire(per_step(self.conv, x))

    def forward_back(self, x: np.ndarray, grads: Gradients) -> Taped:
        """Training on arrays of spikes [T, B, H, W, C] -> spikes [T, B, H, W, C']."""
        y, conv_back = taped_ops.convolution(x, self.conv, grads)
        z, fire_back = taped_ops.norm_lif(y, self.fire.norm, self.fire.neuron.constants, grads, self.conv.bias)
        return z, lambda g: conv_back(fire_back(g))
