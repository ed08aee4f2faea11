"""The score that selects an epoch, measured on validation samples only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor, nn

from spikinghash.data.dataset import SampleDataset
from spikinghash.layers.firing import firing_rates
from spikinghash.training.read_bits import read_all_bits

#: Pairs of samples that are ranked at once: about 200 MB.
_PAIRS_AT_ONCE = 4_000_000
#: The partner of a sample counts as found among so many.
RECALL_AT = 10


@dataclass(frozen=True)
class Validation:
    """`mean_ap` is mean average precision without the query itself, None where labels may not be seen; then `recall` is
    the share of samples whose partner in another modality is among the nearest `RECALL_AT`, None without one.

    `distinct` is the share of distinct codes; `dead_bits` bits that never change; `rates` the firing rate by layer.
    """

    mean_ap: float | None
    recall: float | None
    distinct: float
    dead_bits: int
    rates: dict[str, float]

    @property
    def score(self) -> float:
        """What selects the epoch; 0 where nothing does."""
        return self.recall or 0.0 if self.mean_ap is None else self.mean_ap


def leave_one_out_map(bits: Tensor, targets: Tensor, gallery: Tensor | None = None) -> float:
    """Each sample queries all others, ranked by Hamming distance, ties in a fixed order. bits [N, K], targets [N, C].

    `gallery` [N, K] are the bits that are searched, of the same samples in another modality. Relevant are samples with
    a class in common.
    """
    asked, there = _signs(bits), _signs(bits if gallery is None else gallery)
    blocks = torch.arange(len(asked)).split(max(1, _PAIRS_AT_ONCE // max(1, len(asked))))
    return float(torch.cat([_average_precision(asked, there, targets, rows) for rows in blocks]).mean())


def partner_recall(queries: Tensor, gallery: Tensor) -> float:
    """Bits [N, K] each, row i of both being partners -> share of queries whose partner is among the nearest
    `RECALL_AT`, one half of those at its distance before it.
    """
    asked, there = _signs(queries), _signs(gallery)
    likeness = asked @ there.T
    own = likeness.diagonal()[:, None]
    before = (likeness > own).sum(1) + 0.5 * ((likeness == own).sum(1) - 1)
    return float((before < RECALL_AT).double().mean())


def _signs(bits: Tensor) -> Tensor:
    return bits.float() * 2 - 1


def _average_precision(asked: Tensor, there: Tensor, targets: Tensor, rows: Tensor) -> Tensor:
    """Of some queries [Q], among all other samples: float64 [Q]."""
    distance = -(asked[rows] @ there.T)
    distance[torch.arange(len(rows)), rows] = torch.inf
    order = distance.argsort(dim=1, stable=True)[:, :-1]
    relevant = (targets[rows] @ targets.T > 0).gather(1, order).double()
    rank = torch.arange(1, relevant.shape[1] + 1, dtype=torch.float64)
    precision = relevant.cumsum(1) / rank
    return (precision * relevant).sum(1) / relevant.sum(1).clamp(min=1)


def validate(method: nn.Module, clips: SampleDataset, batch: int) -> Validation:
    """Hash validation samples in inference mode, `batch` at a time, and score the codes.

    Of one modality they search themselves, of several each searches every other one.
    """
    network: nn.Module = method.network  # type: ignore[assignment]
    with firing_rates(network) as rates:
        bits = read_all_bits(method, clips, batch)
    directions = list(permutations(bits, 2)) or [(name, name) for name in bits]
    mean_ap = recall = None
    if not clips.hides_labels:
        targets = clips.labels.targets()
        found = [leave_one_out_map(bits[a], targets, bits[b]) for a, b in directions]
        mean_ap = sum(found) / len(found)
    elif len(bits) > 1:
        found = [partner_recall(bits[a], bits[b]) for a, b in directions]
        recall = sum(found) / len(found)
    every = torch.cat(list(bits.values()))
    distinct = min(len(torch.unique(one, dim=0)) / len(one) for one in bits.values())
    dead = int(((every.float().mean(0) - 0.5).abs() == 0.5).sum())
    return Validation(mean_ap, recall, distinct, dead, dict(rates))
