"""The network of DHSL that codes are made by: a branch, a selector and a hash layer for each modality."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from spikinghash.layers.accounts import Composed
from spikinghash.methods.dhsl.feature_selector import FeatureSelector
from spikinghash.methods.dhsl.options import DhslOptions
from spikinghash.methods.known_inputs import known_inputs
from spikinghash.methods.standardise import Standardise


class DhslBranch(Composed, nn.Module):
    """h = tanh(W [y; e]): y of an MLP, e of the selector, which the variant "no-selector" leaves out."""

    def __init__(self, width: int, bits: int, options: DhslOptions, variant: str) -> None:
        super().__init__()
        self.low = nn.Sequential(
            nn.Linear(width, options.hidden), nn.BatchNorm1d(options.hidden), nn.ReLU(),
            nn.Linear(options.hidden, options.low), nn.BatchNorm1d(options.low), nn.ReLU(),
        )  # fmt: skip
        self.select = None if variant == "no-selector" else FeatureSelector(width, options.selected)
        self.hash = nn.Linear(options.low + (options.selected if self.select else 0), bits)

    def forward(self, x: Tensor) -> Tensor:
        """Standardised features [B, D] -> h [B, K] in (-1, 1)."""
        parts = [self.low(x)] if self.select is None else [self.low(x), self.select(x)]
        return self.hash(torch.cat(parts, 1)).tanh()


class DhslNetwork(Composed, nn.Module):
    """Features by modality -> h [B, K] by modality, each from its own alone."""

    def __init__(self, widths: Mapping[str, int], bits: int, options: DhslOptions, variant: str) -> None:
        super().__init__()
        self.standardise = nn.ModuleDict({name: Standardise(width) for name, width in widths.items()})
        self.branches = nn.ModuleDict(
            {name: DhslBranch(width, bits, options, variant) for name, width in widths.items()}
        )

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Features [B, D_m] by modality -> h [B, K] of the same modalities."""
        known = known_inputs(self.branches, inputs)
        return {name: self.branches[name](self.standardise[name](x)) for name, x in known.items()}
