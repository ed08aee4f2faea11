"""The contrastive network without spikes: a network for each modality, taught by which inputs belong together.

The loss and the shape of the networks are those of UCMFH (Xia et al., "Unsupervised Cross-Modal Hashing via Fusion",
2023), without its fusion, so that each code comes from one modality.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from spikinghash.data.batch import Batch
from spikinghash.data.dataset import SampleDataset
from spikinghash.errors import ConfigError
from spikinghash.layers.accounts import Composed
from spikinghash.losses.nt_xent import nt_xent
from spikinghash.methods.known_inputs import known_inputs
from spikinghash.methods.method import StepResult
from spikinghash.methods.options import STRICT
from spikinghash.methods.scored_method import ScoredMethod
from spikinghash.methods.standardise import Standardise, fit_standardise

VARIANTS = ("full",)


@dataclass(frozen=True, config=STRICT)
class ContrastiveOptions:
    """`width` of the hidden layer, `temperature` of the loss, `input_dropout`: the share of features set to 0."""

    width: int = 1024
    temperature: float = 0.5
    input_dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.width < 1 or self.temperature <= 0 or not 0 <= self.input_dropout < 1:
            raise ConfigError("contrastive: width is at least 1, temperature above 0, input_dropout from 0 to below 1")


class ContrastiveNetwork(Composed, nn.Module):
    """Features by modality -> h = tanh(W_2 relu(W_1 x)) [B, K] by modality, each from its own alone."""

    def __init__(self, widths: Mapping[str, int], bits: int, options: ContrastiveOptions) -> None:
        super().__init__()
        self.standardise = nn.ModuleDict({name: Standardise(width) for name, width in widths.items()})
        self.dropout = nn.Dropout(options.input_dropout)
        self.layers = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(width, options.width), nn.ReLU(), nn.Linear(options.width, bits))
                for name, width in widths.items()
            }
        )

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Features [B, D_m] by modality -> h [B, K] in (-1, 1) of the same modalities."""
        return {
            name: self.layers[name](self.dropout(self.standardise[name](x))).tanh()
            for name, x in known_inputs(self.layers, inputs).items()
        }


class Contrastive(ScoredMethod):
    """NT-Xent over the pairs of a batch; labels are never looked at."""

    network: ContrastiveNetwork

    def __init__(self, network: ContrastiveNetwork, temperature: float) -> None:
        super().__init__(network)
        self.temperature = temperature

    def forward(self, batch: Batch) -> StepResult:
        """The loss of a batch."""
        a, b = self.network({name: batch.of(name) for name in self.network.layers}).values()
        loss = nt_xent(a, b, self.temperature)
        bits_on = (torch.stack([a, b]).detach() > 0).float().mean()
        return StepResult(loss, {"contrastive": loss.detach(), "bits_on": bits_on})

    @torch.no_grad()
    def fit(self, train: SampleDataset) -> None:
        """Mean and deviation of the features."""
        fit_standardise(self.network.standardise, train)


def contrastive(
    widths: Mapping[str, int], bits: int, classes: int, options: ContrastiveOptions, variant: str
) -> Contrastive:
    """For two modalities of features; `ConfigError` for other numbers of them."""
    if len(widths) != 2:
        raise ConfigError(f"contrastive takes two modalities, not {', '.join(widths)}")
    return Contrastive(ContrastiveNetwork(widths, bits, options), options.temperature)
