"""The hash layer of networks without spikes: sgn(tanh(Linear(f))) (paper eq. 17), trained by continuation.

HashNet (Cao, Long, Wang and Yu, ICCV 2017): sgn has no gradient, so training sees tanh(beta x) with a beta that grows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spikinghash.layers.accounts import Composed

#: beta at the end of training; HashNet multiplies it up over the epochs.
LARGEST_BETA = 10.0


@dataclass(frozen=True)
class TanhOutput:
    """`codes` [B, K] in (-1, 1), differentiable; `bits` [B, K] in {0, 1}, 1 where x >= 0; `membrane` [B, K] is x,
    detached; `margin` [B] smallest |x|, detached.
    """

    codes: Tensor
    bits: Tensor
    membrane: Tensor
    margin: Tensor


class TanhHashLayer(Composed, nn.Module):
    """f [B, C] -> `TanhOutput` of [B, K]."""

    beta: Tensor

    def __init__(self, channels: int, bits: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, bits)
        self.register_buffer("beta", torch.tensor(1.0))

    def forward(self, f: Tensor) -> TanhOutput:
        """f [B, C] -> codes and bits of [B, K]."""
        x = self.linear(f)
        seen = x.detach()
        return TanhOutput(torch.tanh(self.beta * x), (seen >= 0).to(x.dtype), seen, seen.abs().amin(1))

    def end_epoch(self, done: float) -> None:
        """beta grows geometrically from 1 to `LARGEST_BETA` with `done`, the share of training finished."""
        self.beta.fill_(LARGEST_BETA**done)
