"""Signs of random projections of one modality (Charikar, STOC 2002): only the mean is learnt."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from pydantic.dataclasses import dataclass

from spikinghash.data.dataset import SampleDataset
from spikinghash.errors import ConfigError
from spikinghash.methods.linear_hash import ClosedForm, LinearHash, Scale, vector_blocks
from spikinghash.methods.moments import spread
from spikinghash.methods.options import STRICT

VARIANTS = ("full",)


@dataclass(frozen=True, config=STRICT)
class LshOptions:
    """How vectors are scaled, and the seed of the hyperplanes."""

    scale: Scale = "none"
    seed: int = 0


def lsh(widths: Mapping[str, int], bits: int, classes: int, options: LshOptions, variant: str) -> ClosedForm:
    """Random hyperplanes through the mean; `widths` is the length of its `input_vectors`."""
    if len(widths) != 1:
        raise ConfigError(f"lsh takes one modality, not {', '.join(widths)}")
    return ClosedForm(LinearHash(widths, bits, options.scale), partial(_solve, seed=options.seed))


def _solve(network: LinearHash, train: SampleDataset, seed: int) -> None:
    (one,) = network.each()
    found = spread(next(iter(block.values())) for block in vector_blocks(network, train))
    planes = torch.randn(one.projection.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    if network.scale == "standardise":
        planes /= found.deviation[:, None]
    one.mean.copy_(found.mean)
    one.projection.copy_(planes)
