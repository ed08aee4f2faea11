"""The score that selects an epoch, measured on validation clips only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spikinghash.layers.firing import firing_rates
from spikinghash.training.read_bits import read_all_bits


@dataclass(frozen=True)
class Validation:
    """`score` leave-one-out mean average precision; `distinct` share of distinct codes; `dead_bits` bits that never
    change; `rates` firing rate by layer.
    """

    score: float
    distinct: float
    dead_bits: int
    rates: dict[str, float]


def leave_one_out_map(bits: Tensor, labels: Tensor) -> float:
    """Each clip queries all others, ranked by Hamming distance, ties in a fixed order. bits [N, K], labels [N]."""
    signs = bits.float() * 2 - 1
    distance = -(signs @ signs.T)
    distance.fill_diagonal_(torch.inf)
    order = distance.argsort(dim=1, stable=True)[:, :-1]
    relevant = (labels[order] == labels[:, None]).double()
    rank = torch.arange(1, relevant.shape[1] + 1, dtype=torch.float64)
    precision = relevant.cumsum(1) / rank
    ap = (precision * relevant).sum(1) / relevant.sum(1).clamp(min=1)
    return float(ap.mean())


def validate(method: nn.Module, frames: Tensor, labels: Tensor, batch: int) -> Validation:
    """Hash validation clips (frames [N, T, 2, H, W], labels [N]) in inference mode and score the codes."""
    network: nn.Module = method.network  # type: ignore[assignment]
    with firing_rates(network) as rates:
        bits = read_all_bits(method, frames, batch)
    distinct = len(torch.unique(bits, dim=0)) / len(bits)
    dead = int(((bits.float().mean(0) - 0.5).abs() == 0.5).sum())
    return Validation(leave_one_out_map(bits, labels), distinct, dead, dict(rates))
