"""A network that hashes and classifies, with the loss of eq. 24; the same for spiking and for other networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from spikinghash.data.batch import Batch, network_input
from spikinghash.data.dataset import SampleDataset
from spikinghash.layers.tanh_hash import TanhHashLayer
from spikinghash.losses.classification import classification
from spikinghash.losses.pairwise_likelihood import hard_similarity, pairwise_likelihood
from spikinghash.losses.soft_similarity import SoftSimilarity
from spikinghash.methods.bits import Bits
from spikinghash.methods.class_numbers import class_numbers
from spikinghash.methods.frame_options import FrameOptions
from spikinghash.methods.method import StepResult


class SupervisedMethod(nn.Module):
    """L = alpha * L_s + beta * L_cls (eq. 24) for a `network` that maps its input to (hash output, logits).

    A hash output has `codes` [B, K] for the loss, `bits` [B, K] in {0, 1}, `membrane` [B, K] for eq. 19, and the
    smallest `margin` [B] of a bit: `HashOutput` or `TanhOutput`.

    `exact` says that the sums of the network do not depend on the batch (`layers/exact_weights.py`), `modality` which
    input of a batch it takes. Samples have one label each.
    """

    fuses: Literal["never"] = "never"

    def __init__(
        self, network: nn.Module, options: FrameOptions, classes: int, *, exact: bool = True, modality: str = "events"
    ) -> None:
        super().__init__()
        self.options = options
        self.network = network
        self.exact = exact
        self.modality = modality
        self.soft = SoftSimilarity(classes)

    def forward(self, batch: Batch) -> StepResult:
        """The loss of a batch and its parts."""
        w = self.options
        labels = class_numbers(batch.targets)
        out, logits = self.network(network_input(batch.of(self.modality)))
        same = hard_similarity(labels)
        similarity = self.soft.pairs(labels) if w.soft else same
        pairs = pairwise_likelihood(out.codes, similarity, same=same.bool() if w.balance else None)
        label = classification(logits, labels, w.smoothing)
        correct = logits.detach().argmax(1) == labels
        if w.soft and self.training:
            self.soft.accumulate(out.membrane, labels, correct)
        return StepResult(
            w.alpha * pairs + w.beta * label,
            {"similarity_loss": pairs.detach(), "class_loss": label.detach(), "bits_on": out.bits.detach().mean()},
            correct,
        )

    @torch.no_grad()
    def hash(self, inputs: Mapping[str, Tensor]) -> dict[str, Bits]:
        """The code of its modality."""
        out, _ = self.network(network_input(inputs[self.modality]))
        return {self.modality: Bits(out.bits.to(torch.uint8), out.margin)}

    def fit(self, train: SampleDataset) -> None:
        """Nothing is learned without gradients."""

    def end_epoch(self, done: float) -> None:
        """Close the rounds of the soft similarity that are due; let tanh layers approach the sign."""
        if self.options.soft:
            self.soft.end_epoch(done)
        for module in self.network.modules():
            if isinstance(module, TanhHashLayer):
                module.end_epoch(done)
