"""SpikeHash as a method: its loss, and codes of pairs and of single inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from spikinghash.data.batch import Batch
from spikinghash.data.dataset import SampleDataset
from spikinghash.errors import ConfigError
from spikinghash.losses.bit_activity import bit_balance, drive_margin, silent_pairs
from spikinghash.losses.nt_xent import nt_xent
from spikinghash.losses.rate_alignment import rate_alignment
from spikinghash.losses.similarity_matching import cosines, similarity_matching
from spikinghash.methods.cca import CcaOptions, cca_itq
from spikinghash.methods.linear_hash import ClosedForm
from spikinghash.methods.method import StepResult
from spikinghash.methods.scored_method import ScoredMethod
from spikinghash.methods.spikehash.network import Coded, SpikeHashNetwork
from spikinghash.methods.spikehash.options import VARIANTS, SpikeHashOptions
from spikinghash.methods.standardise import fit_standardise

#: Channels at which the published weight of the rate alignment holds as a mean.
_SRAL_CHANNELS = 512


class SpikeHash(ScoredMethod):
    """Contrastive loss of pairs + `bar` * bit activity + `sral` * rate alignment; labels are never looked at.

    The paper gives no equations: terms are reconstructed from its figures. Ours beyond it is `teacher`: codes are as
    alike as canonical variates of whole pairs, scaled and averaged over both modalities, which a code of one modality
    cannot see.
    """

    fuses: Literal["never", "can", "must"] = "can"
    network: SpikeHashNetwork

    def __init__(
        self, network: SpikeHashNetwork, teacher: ClosedForm | None, options: SpikeHashOptions, variant: str
    ) -> None:
        super().__init__(network)
        self.teacher = teacher
        self.options = options
        self.variant = variant

    def forward(self, batch: Batch) -> StepResult:
        """The loss of a batch; with probability `modality_dropout`, drawn from torch's generator, of single codes."""
        inputs = {name: batch.of(name) for name in self.network.encode}
        if self.training and float(torch.rand(())) < self.options.modality_dropout:
            coded = [self.network({name: x})[name] for name, x in inputs.items()]
        else:
            coded = list(self.network(inputs).values())
        return self._loss(coded, self._similarity(inputs))

    def _loss(self, coded: list[Coded], similarity: Tensor | None) -> StepResult:
        o, (a, b) = self.options, (one.readout for one in coded)
        parts = {
            "contrastive": nt_xent(a.score, b.score, o.temperature),
            "bit_activity": (self._activity(coded[0]) + self._activity(coded[1])) / 2,
            "rate_alignment": _SRAL_CHANNELS * rate_alignment(coded[0].rates, coded[1].rates),
        }
        weights = {"contrastive": 1.0, "bit_activity": o.bar, "rate_alignment": o.sral}
        if o.mid:
            parts["contrastive_mid"] = nt_xent(coded[0].state, coded[1].state, o.temperature)
            weights["contrastive_mid"] = o.mid
        if similarity is not None:
            grids = [similarity_matching(x.score, y.score, similarity) for x, y in ((a, b), (a, a), (b, b))]
            parts["teacher"] = torch.stack(grids).mean()
            weights["teacher"] = o.teacher
        dropped = {"no-contrastive": "contrastive", "no-bar": "bit_activity", "no-sral": "rate_alignment"}
        kept = [name for name in parts if name != dropped.get(self.variant)]
        loss = torch.stack([weights[name] * parts[name] for name in kept]).sum()
        seen = {name: part.detach() for name, part in parts.items()}
        decided = torch.stack([a.decided, b.decided])
        seen["tie_share"] = (torch.stack([a.score, b.score]).detach() == 0).float().mean()
        return StepResult(loss, seen | {"bits_on": (decided > 0).float().mean()})

    @torch.no_grad()
    def _similarity(self, inputs: Mapping[str, Tensor]) -> Tensor | None:
        """What the teacher finds of whole pairs, [B, B]; it is training state, no code depends on it."""
        if self.teacher is None:
            return None
        both = torch.stack(list(self.teacher.network(inputs).values())).mean(0)
        return cosines(both, both)

    def _activity(self, one: Coded) -> Tensor:
        r = one.readout
        return bit_balance(r.score) + drive_margin(r.drive, self.options.margin) + silent_pairs(r.fired)

    def scores(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Features by modality -> scores by modality: of pairs where both are given, of the input alone otherwise."""
        return {name: one.readout.decided for name, one in self.network(inputs).items()}

    @torch.no_grad()
    def fit(self, train: SampleDataset) -> None:
        """Mean and deviation of the features, and the teacher."""
        fit_standardise(self.network.standardise, train)
        if self.teacher is not None:
            self.teacher.fit(train)


def spikehash(widths: Mapping[str, int], bits: int, classes: int, options: SpikeHashOptions, variant: str) -> SpikeHash:
    """SpikeHash for two modalities of features; `ConfigError` for other numbers of them, or an unknown variant."""
    if len(widths) != 2:
        raise ConfigError(f"spikehash takes two modalities, not {', '.join(widths)}")
    if variant not in VARIANTS:
        raise ConfigError(f"unknown variant {variant!r} of spikehash; one of: {', '.join(VARIANTS)}")
    network = SpikeHashNetwork(widths, bits, options, variant)
    return SpikeHash(
        network,
        None if variant == "no-teacher" or not options.teacher else _teacher(widths, bits, options),
        options,
        variant,
    )


def _teacher(widths: Mapping[str, int], bits: int, options: SpikeHashOptions) -> ClosedForm:
    """Of as many variates as there are; cosines do not change by its rotation."""
    own = CcaOptions(scale=options.teacher_scale)
    return cca_itq(widths, min(bits, own.components, *widths.values()), 1, own, "full")
