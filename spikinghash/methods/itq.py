"""ITQ on the vectors of one modality, or of several side by side; no labels, no steps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from pydantic.dataclasses import dataclass

from spikinghash.data.dataset import SampleDataset
from spikinghash.errors import ConfigError
from spikinghash.methods.linear_hash import ClosedForm, LinearHash, Scale, vector_blocks
from spikinghash.methods.moments import moments
from spikinghash.methods.options import STRICT
from spikinghash.methods.rotation import MOST_ROWS, itq_rotation

VARIANTS = ("full",)


@dataclass(frozen=True, config=STRICT)
class ItqOptions:
    """How vectors are scaled, and the seed of the first rotation."""

    scale: Scale = "none"
    seed: int = 0


@dataclass(frozen=True, config=STRICT)
class PairedItqOptions(ItqOptions):
    """With vectors of unit length, so that no modality outweighs the other."""

    scale: Scale = "unit"


def itq(widths: Mapping[str, int], bits: int, classes: int, options: ItqOptions, variant: str) -> ClosedForm:
    """ITQ of one modality; `widths` is the length of its `input_vectors`."""
    if len(widths) != 1:
        raise ConfigError(f"itq takes one modality, not {', '.join(widths)}; paired-itq takes pairs")
    return _method(widths, bits, options.scale, options.seed, fuse=False)


def paired_itq(
    widths: Mapping[str, int], bits: int, classes: int, options: PairedItqOptions, variant: str
) -> ClosedForm:
    """ITQ of all modalities of a sample side by side; a sample that lacks one has no code."""
    return _method(widths, bits, options.scale, options.seed, fuse=True)


def _method(widths: Mapping[str, int], bits: int, scale: Scale, seed: int, *, fuse: bool) -> ClosedForm:
    if bits > sum(widths.values()):
        raise ConfigError(f"itq has at most {sum(widths.values())} bits for these inputs, not {bits}")
    return ClosedForm(LinearHash(widths, bits, scale, fuse=fuse), partial(_solve, seed=seed))


def _solve(network: LinearHash, train: SampleDataset, seed: int) -> None:
    """Principal components of all vectors side by side, rotated."""
    found = moments(torch.cat(list(block.values()), 1) for block in vector_blocks(network, train))
    maps = network.each()
    unit = 1 / found.deviation if network.scale == "standardise" else torch.ones_like(found.mean)
    _, vectors = torch.linalg.eigh(unit[:, None] * found.covariance * unit)
    projection = unit[:, None] * vectors[:, -maps[0].projection.shape[1] :]
    rows = [torch.cat(list(block.values()), 1) - found.mean for block in vector_blocks(network, train, MOST_ROWS)]
    projection = projection @ itq_rotation(torch.cat([x @ projection for x in rows]), seed)
    widths = [len(one.mean) for one in maps]
    for one, mean, part in zip(maps, found.mean.split(widths), projection.split(widths), strict=True):
        one.mean.copy_(mean)
        one.projection.copy_(part)
