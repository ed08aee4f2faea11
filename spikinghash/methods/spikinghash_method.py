"""Spikinghash as a method: network, loss of eq. 24, and bits by AND over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.methods.losses import classification, hard_similarity, pairwise_likelihood
from spikinghash.methods.method import LossWeights, StepResult
from spikinghash.methods.soft_similarity import SoftSimilarity
from spikinghash.methods.spec import ModelSpec
from spikinghash.methods.spikinghash import SIZES, Spikinghash


class SpikinghashMethod(nn.Module):
    """L = alpha * L_s + beta * L_cls (eq. 24)."""

    def __init__(self, spec: ModelSpec, weights: LossWeights) -> None:
        super().__init__()
        if spec.size not in SIZES:
            raise ConfigError(f"unknown size {spec.size!r}; one of: {', '.join(SIZES)}")
        self.weights = weights
        self.network = Spikinghash(
            SIZES[spec.size],
            bits=spec.bits,
            classes=len(spec.classes),
            steps=spec.steps,
            height=spec.height,
            width=spec.width,
            surrogate=spec.surrogate,
        )
        self.soft = SoftSimilarity(len(spec.classes))

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

    @torch.no_grad()
    def read_bits(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Frames [T, B, 2, H, W] -> bits [B, K] uint8 and margin [B] float32."""
        out, _ = self.network(frames)
        return out.bits.to(torch.uint8), out.margin

    def end_epoch(self, done: float) -> None:
        """Close the rounds of the soft similarity that are due."""
        if self.weights.soft:
            self.soft.end_epoch(done)
