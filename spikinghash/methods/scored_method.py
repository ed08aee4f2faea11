"""Methods whose network scores the bits of each modality: a bit is 1 where its score is above 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from spikinghash.data.dataset import SampleDataset
from spikinghash.methods.bits import Bits, signs


class ScoredMethod(nn.Module):
    """A `HashingMethod` without its loss; the network maps inputs by modality to scores [B, K] by modality."""

    exact = False
    fuses: Literal["never", "can", "must"] = "never"
    network: nn.Module

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def scores(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Inputs as in a `Batch` -> scores [B, K] by modality."""
        found: dict[str, Tensor] = self.network(inputs)
        return found

    @torch.no_grad()
    def hash(self, inputs: Mapping[str, Tensor]) -> dict[str, Bits]:
        """Inputs as in a `Batch` -> bits by modality; a score of 0 gives 0."""
        return {name: signs(score) for name, score in self.scores(inputs).items()}

    def fit(self, train: SampleDataset) -> None:
        """Nothing is learned without gradients."""

    def end_epoch(self, done: float) -> None:
        """Nothing changes with the epochs."""
