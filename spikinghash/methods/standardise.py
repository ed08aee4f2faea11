"""Features of zero mean and unit deviation, as the training rows had them."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from spikinghash.data.dataset import SampleDataset
from spikinghash.layers.accounts import Composed
from spikinghash.methods.moments import spread
from spikinghash.methods.training_rows import blocks


class Standardise(Composed, nn.Module):
    """x [B, D] -> (x - mean) / deviation per dimension; both are buffers, so that queries are treated alike later."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """x [B, D] -> [B, D]."""
        return (x - self.mean) / self.deviation


def fit_standardise(modules: nn.ModuleDict, train: SampleDataset) -> None:
    """Set the buffers of the `Standardise` of each modality from all training rows, in one pass."""
    found = spread(torch.cat([batch.of(name) for name in modules], 1) for batch in blocks(train))
    own = cast("list[Standardise]", list(modules.values()))
    widths = [len(module.mean) for module in own]
    parts = zip(own, found.mean.split(widths), found.deviation.split(widths), strict=True)
    for module, mean, deviation in parts:
        module.mean.copy_(mean)
        module.deviation.copy_(deviation)
