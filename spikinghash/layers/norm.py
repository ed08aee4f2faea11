"""Batch norm over time, batch and space."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikinghash.layers.deferred import Deferred, deferrable
from spikinghash.neurons.lif import has_kernels
from spikinghash.ops.batch_norm import NO_NORM, Norm, batch_norm_reference
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
        return batch_norm_reference(x.movedim(2, -1), *self.running()).movedim(-1, 2)

    def defer(self, waiting: Deferred) -> Deferred:
        """The affine step is left to the next one."""
        if waiting.norm is not NO_NORM or waiting.neuron is not None:
            waiting = Deferred(waiting.tensor())
        if not self._by_batch():
            return Deferred(waiting.charge(), norm=self.running())
        (weight, shift), x, bias = self._affine(), waiting.x, waiting.bias
        found = moments(x) if waiting.moments is None else waiting.moments
        self._track(found.detach(), bias, x.numel() // x.shape[-1])
        # the mean takes the bias away: its gradient is zero, not missing
        return Deferred(x, norm=(found, weight, shift if bias is None else shift.add(bias, alpha=0.0), self.eps))

    def running(self) -> Norm:
        """What operators take in inference: moments float64 [2, C], weight and bias [C], eps."""
        return torch.stack((self.running_mean, self.running_var)).double(), *self._affine(), self.eps  # type: ignore[arg-type]

    def _affine(self) -> tuple[Tensor, Tensor]:
        """Weight and bias [C], at least float32; ones and zeros where there are none."""
        device = None if self.running_mean is None else self.running_mean.device
        weight = torch.ones(self.num_features, device=device) if self.weight is None else self.weight
        bias = torch.zeros_like(weight) if self.bias is None else self.bias
        kind = torch.promote_types(weight.dtype, torch.float32)
        return weight.to(kind), bias.to(kind)

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
