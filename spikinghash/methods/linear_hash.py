"""The network of all methods in closed form: a linear map of centred vectors, and their signs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, cast, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikinghash.data.batch import Batch
from spikinghash.data.dataset import SampleDataset
from spikinghash.errors import ConfigError
from spikinghash.layers.accounts import Composed, ExactSum, Operation
from spikinghash.methods.input_vectors import input_vectors
from spikinghash.methods.known_inputs import known_inputs
from spikinghash.methods.method import StepResult
from spikinghash.methods.scored_method import ScoredMethod
from spikinghash.methods.training_rows import blocks

#: How vectors are scaled before all else: as they are, to unit length each, or to unit variance a dimension.
Scale = Literal["none", "unit", "standardise"]


class CentredMap(nn.Module):
    """x [B, D] -> (x - mean) @ projection, [B, K]; both are buffers."""

    mean: Tensor
    projection: Tensor

    def __init__(self, width: int, bits: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("projection", torch.zeros(width, bits))

    def forward(self, x: Tensor) -> Tensor:
        """x [B, D] -> scores [B, K]."""
        return (x - self.mean) @ self.projection

    def operations(self, x: Tensor, y: Tensor, rate: object) -> Iterator[Operation]:
        """One product a weight."""
        yield Operation("", "linear", y.numel() * x.shape[1])

    def exact_sums(self) -> Iterator[ExactSum]:
        """None: its sums run over real numbers."""
        yield from ()


class LinearHash(Composed, nn.Module):
    """Scores [B, K] of the given modalities; with `fuse` the sum over all of them stands for each.

    Raises `ConfigError` for an unknown scale, and where `fuse` misses a modality.
    """

    def __init__(self, widths: Mapping[str, int], bits: int, scale: Scale, *, fuse: bool = False) -> None:
        super().__init__()
        if scale not in get_args(Scale):
            raise ConfigError(f"no scale is called {scale!r}; there are {', '.join(get_args(Scale))}")
        self.maps = nn.ModuleDict({name: CentredMap(width, bits) for name, width in widths.items()})
        self.scale, self.fuse = scale, fuse

    def each(self) -> list[CentredMap]:
        """The maps of all modalities, in their order."""
        return cast("list[CentredMap]", list(self.maps.values()))

    def vectors(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What is mapped of each known modality, [B, D]; unit variance is left to the projection."""
        found = {name: input_vectors(x) for name, x in known_inputs(self.maps, inputs).items()}
        return {name: F.normalize(x) if self.scale == "unit" else x for name, x in found.items()}

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Inputs of a batch by modality -> scores [B, K] by modality."""
        scores = {name: self.maps[name](x) for name, x in self.vectors(inputs).items()}
        if not self.fuse:
            return scores
        if len(scores) < len(self.maps):
            raise ConfigError(f"this method hashes {' and '.join(self.maps)} together; give both, or take cca-itq")
        return dict.fromkeys(scores, torch.stack(list(scores.values())).sum(0))


class ClosedForm(ScoredMethod):
    """A method without steps: `solve(network, train)` sets all buffers; nothing needs labels."""

    network: LinearHash

    def __init__(self, network: LinearHash, solve: Callable[[LinearHash, SampleDataset], None]) -> None:
        super().__init__(network)
        self.solve = solve
        self.fuses = "must" if network.fuse else "never"

    def forward(self, batch: Batch) -> StepResult:
        """Nothing to learn in a step: a loss of 0."""
        return StepResult(torch.zeros(()), {})

    @torch.no_grad()
    def fit(self, train: SampleDataset) -> None:
        """All of the training."""
        self.solve(self.network, train)


def vector_blocks(network: LinearHash, train: SampleDataset, most: int | None = None) -> Iterator[dict[str, Tensor]]:
    """`network.vectors` of the training rows, float64, in blocks; `most` as in `blocks`."""
    for batch in blocks(train, most):
        found = network.vectors({name: batch.of(name) for name in network.maps})
        yield {name: x.double() for name, x in found.items()}
