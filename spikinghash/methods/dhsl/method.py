"""DHSL as a method: relation, weighted cosine triplet and quantisation."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from spikinghash.data.batch import Batch
from spikinghash.data.dataset import SampleDataset
from spikinghash.errors import ConfigError
from spikinghash.losses.quantisation import quantisation
from spikinghash.losses.relation import relation, shares_label
from spikinghash.losses.weighted_triplet import weighted_triplet
from spikinghash.methods.dhsl.network import DhslNetwork
from spikinghash.methods.dhsl.options import VARIANTS, DhslOptions
from spikinghash.methods.dhsl.relation_network import RelationNetwork
from spikinghash.methods.method import StepResult
from spikinghash.methods.scored_method import ScoredMethod
from spikinghash.methods.standardise import fit_standardise


class Dhsl(ScoredMethod):
    """L = `relation` L_rel + `triplet` L_tri + `quantisation` L_q, over inter- and intra-modal pairs of a batch.

    The relation network teaches and codes do without it. The paper gives no equations: terms are reconstructed.
    """

    network: DhslNetwork

    def __init__(self, network: DhslNetwork, bits: int, options: DhslOptions, variant: str) -> None:
        super().__init__(network)
        self.relate = None if variant == "no-relation" else RelationNetwork(bits, options.relation_hidden)
        self.options = options
        self.variant = variant

    def forward(self, batch: Batch) -> StepResult:
        """The loss of a batch; `ConfigError` where it has no labels."""
        if batch.targets is None:
            raise ConfigError("dhsl learns from labels; these samples come without, take spikehash or contrastive")
        a, b = self.network({name: batch.of(name) for name in self.network.branches}).values()
        pairs = [(a, b, False), (b, a, False), (a, a, True), (b, b, True)]
        pairs = pairs[:2] if self.variant == "no-intra" else pairs
        o, weighted, parts = self.options, self.variant != "unweighted", {}
        triplets = [
            weighted_triplet(x, y, batch.targets, within=same, margin=o.margin, weighted=weighted)
            for x, y, same in pairs
        ]
        loss = o.triplet * torch.stack(triplets).sum()
        parts["triplet"] = torch.stack(triplets).sum()
        if self.variant != "no-quantisation":
            parts["quantisation"] = quantisation(a, b)
            loss = loss + o.quantisation * parts["quantisation"]
        if self.relate is not None:
            scores = torch.stack([self.relate(x, y) for x, y, _ in pairs])
            similarity = shares_label(batch.targets)
            parts["relation"] = torch.stack([relation(r, similarity) for r in scores]).sum()
            loss = loss + o.relation * parts["relation"]
            if o.similarity:
                parts["similarity"] = _to_matrix(a, b, scores.detach().mean(0))
                loss = loss + o.similarity * parts["similarity"]
        bits_on = (torch.stack([a, b]).detach() > 0).float().mean()
        return StepResult(loss, {name: part.detach() for name, part in parts.items()} | {"bits_on": bits_on})

    @torch.no_grad()
    def fit(self, train: SampleDataset) -> None:
        """Mean and deviation of the features."""
        fit_standardise(self.network.standardise, train)


def _to_matrix(a: Tensor, b: Tensor, matrix: Tensor) -> Tensor:
    """Mean of (cos(a_i, b_j) - (2 R_ij - 1))^2 to the hash similarity matrix R [B, B] in [0, 1]."""
    return (F.normalize(a) @ F.normalize(b).T - (2 * matrix - 1)).square().mean()


def dhsl(widths: Mapping[str, int], bits: int, classes: int, options: DhslOptions, variant: str) -> Dhsl:
    """DHSL for two modalities of features; `ConfigError` for other numbers of them, or an unknown variant."""
    if len(widths) != 2:
        raise ConfigError(f"dhsl takes two modalities, not {', '.join(widths)}")
    if variant not in VARIANTS:
        raise ConfigError(f"unknown variant {variant!r} of dhsl; one of: {', '.join(VARIANTS)}")
    return Dhsl(DhslNetwork(widths, bits, options, variant), bits, options, variant)
