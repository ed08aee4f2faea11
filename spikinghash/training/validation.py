"""The score that selects an epoch, measured on validation clips only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spikinghash.data.dataset import SampleDataset
from spikinghash.layers.firing import firing_rates
from spikinghash.training.read_bits import read_all_bits

#: Pairs of clips that are ranked at once: about 200 MB.
_PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Validation:
    """`score` leave-one-out mean average precision; `distinct` share of distinct codes; `dead_bits` bits that never
    change; `rates` firing rate by layer.
    """

    score: float
    distinct: float
    dead_bits: int
    rates: dict[str, float]


def leave_one_out_map(bits: Tensor, targets: Tensor) -> float:
    """Each clip queries all others, ranked by Hamming distance, ties in a fixed order. bits [N, K], targets [N, C].

    Relevant are those with a class in common.
    """
    signs = bits.float() * 2 - 1
    blocks = torch.arange(len(bits)).split(max(1, _PAIRS_AT_ONCE // max(1, len(bits))))
    return float(torch.cat([_average_precision(signs, targets, queries) for queries in blocks]).mean())


def _average_precision(signs: Tensor, targets: Tensor, queries: Tensor) -> Tensor:
    """Of some clips [Q], among all others: float64 [Q]."""
    distance = -(signs[queries] @ signs.T)
    distance[torch.arange(len(queries)), queries] = torch.inf
    order = distance.argsort(dim=1, stable=True)[:, :-1]
    relevant = (targets[queries] @ targets.T > 0).gather(1, order).double()
    rank = torch.arange(1, relevant.shape[1] + 1, dtype=torch.float64)
    precision = relevant.cumsum(1) / rank
    return (precision * relevant).sum(1) / relevant.sum(1).clamp(min=1)


def validate(method: nn.Module, clips: SampleDataset, batch: int) -> Validation:
    """Hash validation clips in inference mode, `batch` at a time, and score the codes."""
    network: nn.Module = method.network  # type: ignore[assignment]
    with firing_rates(network) as rates:
        bits = read_all_bits(method, clips, batch)
    distinct = len(torch.unique(bits, dim=0)) / len(bits)
    dead = int(((bits.float().mean(0) - 0.5).abs() == 0.5).sum())
    return Validation(leave_one_out_map(bits, clips.labels.targets()), distinct, dead, dict(rates))
