"""HybridHash as a method: its loss against a memory of the training set, and codes of pictures."""

from __future__ import annotations

import logging
from pathlib import Path

from torch import nn
from torch.nn import functional as F

from spikinghash.data.batch import Batch
from spikinghash.data.dataset import SampleDataset
from spikinghash.errors import ConfigError
from spikinghash.losses.weighted_maximum_likelihood import weighted_maximum_likelihood
from spikinghash.methods.hybridhash.backbone import load_backbone
from spikinghash.methods.hybridhash.geometry import geometry_of
from spikinghash.methods.hybridhash.memory_bank import MemoryBank
from spikinghash.methods.hybridhash.network import MODALITY, HybridHashNetwork
from spikinghash.methods.hybridhash.options import HybridHashOptions
from spikinghash.methods.method import StepResult
from spikinghash.methods.options import options_of
from spikinghash.methods.scored_method import ScoredMethod
from spikinghash.methods.spec import ModelSpec

_LOG = logging.getLogger(__name__)


class HybridHash(ScoredMethod):
    """L = L_wml(batch, bank) + `classification` L_cls, whose classifier of codes is training state, as the bank is.

    Samples of the bank that no step has seen yet are left out; the release has them as zeros, dissimilar to all.
    """

    network: HybridHashNetwork

    def __init__(self, network: HybridHashNetwork, bits: int, classes: int, options: HybridHashOptions) -> None:
        super().__init__(network)
        self.bank = MemoryBank(bits, classes)
        self.classifier = nn.Linear(bits, classes) if options.classification else None
        self.options = options

    def forward(self, batch: Batch) -> StepResult:
        """The loss of a batch, which the bank then remembers; `ConfigError` where it has no labels."""
        if batch.targets is None:
            raise ConfigError("hybridhash learns from labels; these samples come without, take itq or lsh")
        scores, targets = self.network({MODALITY: batch.of(MODALITY)})[MODALITY], batch.targets
        if self.training:
            self.bank.remember(batch.rows, scores, targets)
        loss = weighted_maximum_likelihood(scores, targets, *self.bank.recall(), self.options.alpha)
        parts = {"likelihood": loss.detach(), "bits_on": (scores.detach() > 0).float().mean()}
        if self.classifier is None:
            return StepResult(loss, parts)
        logits = self.classifier(scores)
        label = F.cross_entropy(logits, targets / targets.sum(1, keepdim=True).clamp_min(1))
        correct = targets.gather(1, logits.detach().argmax(1, keepdim=True)).squeeze(1) > 0
        parts["class_loss"] = label.detach()
        return StepResult(loss + self.options.classification * label, parts, correct)

    def fit(self, train: SampleDataset) -> None:
        """Room in the bank for the training set, and the backbone's weights; `ConfigError` as `load_backbone`."""
        self.bank.forget(len(train))
        if self.options.backbone is not None:
            report = load_backbone(self.network, Path(self.options.backbone))
            _LOG.info("%s: %s", self.options.backbone, report.line())


def hybridhash(spec: ModelSpec) -> HybridHash:
    """HybridHash for one input of pictures; `ConfigError` for another kind, and for a size that blocks do not tile."""
    options = options_of(HybridHashOptions, spec.options, spec.method)
    if spec.input.kind != MODALITY:
        raise ConfigError(f"hybridhash takes an image, not {spec.input.kind}")
    geometry = geometry_of(spec.input.height, spec.input.width)
    network = HybridHashNetwork(geometry, spec.bits, options, interacts=spec.variant != "no-interaction")
    return HybridHash(network, spec.bits, len(spec.classes), options)
