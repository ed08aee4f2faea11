"""A network that hashes and classifies, with the loss of eq. 24; the same for spiking and for other networks."""

from __future__ import annotations

from torch import Tensor, nn

from spikinghash.layers.tanh_hash import TanhHashLayer
from spikinghash.losses.classification import classification
from spikinghash.losses.pairwise_likelihood import hard_similarity, pairwise_likelihood
from spikinghash.losses.soft_similarity import SoftSimilarity
from spikinghash.methods.method import LossWeights, StepResult


class SupervisedMethod(nn.Module):
    """L = alpha * L_s + beta * L_cls (eq. 24) for a `network` that maps frames to (hash output, logits).

    A hash output has `codes` [B, K] for the loss, `bits` [B, K] in {0, 1}, `membrane` [B, K] for eq. 19, and the
    smallest `margin` [B] of a bit: `HashOutput` or `TanhOutput`.

    `exact` says that the sums of the network do not depend on the batch (`layers/exact_weights.py`).
    """

    def __init__(self, network: nn.Module, weights: LossWeights, classes: int, *, exact: bool = True) -> None:
        super().__init__()
        self.weights = weights
        self.network = network
        self.exact = exact
        self.soft = SoftSimilarity(classes)

    def forward(self, frames: Tensor, labels: Tensor) -> StepResult:
        """Frames [T, B, 2, H, W], labels [B] -> loss and its parts."""
        w = self.weights
        out, logits = self.network(frames)
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

    def end_epoch(self, done: float) -> None:
        """Close the rounds of the soft similarity that are due; let tanh layers approach the sign."""
        if self.weights.soft:
            self.soft.end_epoch(done)
        for module in self.network.modules():
            if isinstance(module, TanhHashLayer):
                module.end_epoch(done)
