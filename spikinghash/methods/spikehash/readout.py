"""The head: two neurons a bit, one for and one against it, and the difference of their spike counts."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from spikinghash.layers.accounts import Composed
from spikinghash.neurons.plif import PLIF


class Readout(NamedTuple):
    """All [B, K]: `score` in [-1, 1]; `drive`, the mean input of the neuron for less that of the one against; `fired`,
    spikes of both; `decided`, the score, or where it is 0 the drive, smaller than any score.
    """

    score: Tensor
    drive: Tensor
    fired: Tensor
    decided: Tensor


class PositiveNegativeReadout(Composed, nn.Module):
    """Proj -> LN -> PLIF on 2K channels; the first K count for the bits, the last K against them."""

    def __init__(self, width: int, bits: int, v_th: float, surrogate: str) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(width, 2 * bits), nn.LayerNorm(2 * bits))
        self.neuron = PLIF(v_th, surrogate=surrogate)

    def forward(self, spikes: Tensor) -> Readout:
        """Spikes [T, B, D] -> readout of [B, K]."""
        current = self.project(spikes)
        positive, negative = self.neuron(current).sum(0).chunk(2, 1)
        wanted, unwanted = current.mean(0).chunk(2, 1)
        score, drive = (positive - negative) / len(spikes), wanted - unwanted
        return Readout(score, drive, positive + negative, _broken(score, drive, len(spikes)))


class TanhReadout(Composed, nn.Module):
    """An ablation without neurons: tanh of the mean of Proj -> LN on K channels."""

    def __init__(self, width: int, bits: int) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(width, bits), nn.LayerNorm(bits))

    def forward(self, spikes: Tensor) -> Readout:
        """Spikes [T, B, D] -> readout of [B, K]; no bit is ever silent."""
        drive = self.project(spikes).mean(0)
        score = drive.tanh()
        return Readout(score, drive, torch.ones_like(drive), score)


def _broken(score: Tensor, drive: Tensor, steps: int) -> Tensor:
    """Equal counts are decided by the drive, scaled to stay within half a spike."""
    return torch.where(score == 0, drive.tanh() / (2 * steps), score).detach()
