"""Batch norm over time, batch and space."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from spikinghash.layers.deferred import Deferred, deferrable
from spikinghash.neurons.lif import has_kernels
from spikinghash.ops.moments import moments


@deferrable
class BatchNorm(nn.BatchNorm2d):
    """[T, B, C, H, W] -> the same shape, statistics over T, B, H, W.

    Its inference form is a separate multiplication and addition: the library's fused loop may contract them differently
    in vector body and tail, and then a value depends on its place in the batch.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> the same shape."""
        if has_kernels(x):
            return self.defer(Deferred(x.movedim(2, -1).contiguous())).tensor().movedim(-1, 2)
        if self._by_batch():
            return super().forward(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        scale, shift = self.line().to(x.dtype)
        return x * scale[:, None, None] + shift[:, None, None]

    def defer(self, waiting: Deferred) -> Deferred:
        """The affine form is left to the next step."""
        if waiting.line is not None or waiting.neuron is not None:
            waiting = Deferred(waiting.tensor())
        if not self._by_batch():
            return Deferred(waiting.charge(), line=self.line())
        x, bias = waiting.x, waiting.bias
        found = moments(x) if waiting.moments is None else waiting.moments
        self._track(found.detach(), bias, x.numel() // x.shape[-1])
        line = self._line(found)
        # the mean takes the bias away: its gradient is zero, not missing
        return Deferred(x, line=line if bias is None else line + 0.0 * bias)

    def line(self) -> Tensor:
        """Scale and shift of inference, float64 [2, C]; rounded once, where they are applied."""
        return self._line(torch.stack((self.running_mean, self.running_var)).double())  # type: ignore[arg-type]

    def _line(self, found: Tensor) -> Tensor:
        if self.affine:
            line: Tensor = _Line.apply(found, self.weight, self.bias, self.eps)
            return line
        scale = 1.0 / torch.sqrt(found[1] + self.eps)
        return torch.stack((scale, -found[0] * scale))

    def _by_batch(self) -> bool:
        return self.training or self.running_mean is None

    def _track(self, found: Tensor, bias: Tensor | None, count: int) -> None:
        """Running statistics as `nn.BatchNorm2d` keeps them: unbiased variance, exponential or cumulative average."""
        if not self.training or self.running_mean is None or self.running_var is None:
            return
        self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        share = self.momentum if self.momentum is not None else 1.0 / int(self.num_batches_tracked)  # type: ignore[arg-type]
        mean, var = found
        mean = mean if bias is None else mean + bias.detach()
        torch._foreach_lerp_(
            [self.running_mean, self.running_var], [mean.float(), (var * (count / max(count - 1, 1))).float()], share
        )


class _Line(torch.autograd.Function):
    """Scale and shift float64 [2, C] of a norm: weight / deviation, bias - mean * scale; from moments float64 [2, C].

    As one function: on [C] autograd's books take longer than the arithmetic.
    """

    @staticmethod
    def forward(ctx: Any, found: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        mean, var = found
        deviation = (var + eps).sqrt_()
        scale = weight / deviation
        ctx.save_for_backward(mean, deviation, scale)
        ctx.dtypes = weight.dtype, bias.dtype
        return torch.stack((scale, bias - mean * scale))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        mean, deviation, scale = ctx.saved_tensors
        by_scale, by_shift = g
        by_weight = torch.addcmul(by_scale, mean, by_shift, value=-1.0).div_(deviation)
        by_var = (by_weight * scale).div_(deviation).mul_(-0.5)
        moments = torch.stack((-scale * by_shift, by_var))
        return moments, by_weight.to(ctx.dtypes[0]), by_shift.to(ctx.dtypes[1]), None
