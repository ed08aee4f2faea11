"""Canonical correlation analysis of two modalities, and its codes: by sign, or scaled and rotated.

Hotelling 1936; scaling by powers of the correlations and rotation as Gong, Ke, Isard and Lazebnik, "A Multi-View
Embedding Space", IJCV 2014, section 3.3, and Gong et al., TPAMI 2013.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor

from spikinghash.data.dataset import SampleDataset
from spikinghash.errors import ConfigError
from spikinghash.methods.linear_hash import ClosedForm, LinearHash, Scale, vector_blocks
from spikinghash.methods.moments import Moments, moments
from spikinghash.methods.options import STRICT
from spikinghash.methods.rotation import MOST_ROWS, itq_rotation

VARIANTS = ("full",)

#: A modality that is wider than so many times `components` is brought to that many.
_WIDE = 2


@dataclass(frozen=True, config=STRICT)
class CcaOptions:
    """PCA brings a modality of more than twice `components` dimensions to that many; `ridge` is a share of the mean
    variance, `power` the exponent of the correlations.
    """

    scale: Scale = "unit"
    components: int = 256
    ridge: float = 1e-2
    power: float = 4.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.components < 1 or self.ridge <= 0 or self.power < 0:
            raise ConfigError("cca: components is at least 1, ridge above 0, power at least 0")


def cca(widths: Mapping[str, int], bits: int, classes: int, options: CcaOptions, variant: str) -> ClosedForm:
    """Signs of the first K canonical variates."""
    return _method(widths, bits, options, rotate=False)


def cca_itq(widths: Mapping[str, int], bits: int, classes: int, options: CcaOptions, variant: str) -> ClosedForm:
    """The first K canonical variates times correlation ** `power`, rotated by ITQ fitted on both modalities."""
    return _method(widths, bits, options, rotate=True)


def _method(widths: Mapping[str, int], bits: int, options: CcaOptions, *, rotate: bool) -> ClosedForm:
    if len(widths) != 2:
        raise ConfigError(f"canonical correlation takes two modalities, not {', '.join(widths)}")
    kept = (options.components if width > _WIDE * options.components else width for width in widths.values())
    most = min(kept)
    if bits > most:
        raise ConfigError(f"cca has at most {most} bits for these inputs, not {bits}")
    network = LinearHash(widths, bits, options.scale)
    return ClosedForm(network, partial(_solve, options=options, rotate=rotate))


def _solve(network: LinearHash, train: SampleDataset, options: CcaOptions, *, rotate: bool) -> None:
    found = moments(torch.cat(list(block.values()), 1) for block in vector_blocks(network, train))
    first, second = network.each()
    bits, width = first.projection.shape[1], len(first.mean)
    places = slice(0, width), slice(width, None)
    whitened = [_whiten(found, place, options) for place in places]
    cross = whitened[0].T @ found.covariance[places] @ whitened[1]
    left, correlation, right = torch.linalg.svd(cross, full_matrices=False)
    scale = correlation[:bits].clamp(0, 1) ** options.power if rotate else torch.ones(bits, dtype=torch.float64)
    maps = [whitened[0] @ left[:, :bits] * scale, whitened[1] @ right.T[:, :bits] * scale]
    for one, place, projection in zip((first, second), places, maps, strict=True):
        one.mean.copy_(found.mean[place])
        one.projection.copy_(projection)
    if rotate:
        rows = [torch.cat(_centred(found, maps, block)) for block in vector_blocks(network, train, MOST_ROWS // 2)]
        rotation = itq_rotation(torch.cat(rows), options.seed)
        for one, projection in zip((first, second), maps, strict=True):
            one.projection.copy_(projection @ rotation)


def _centred(found: Moments, maps: list[Tensor], block: Mapping[str, Tensor]) -> list[Tensor]:
    means = found.mean.split([len(one) for one in maps])
    return [(x - mean) @ one for x, mean, one in zip(block.values(), means, maps, strict=True)]


def _whiten(found: Moments, place: slice, options: CcaOptions) -> Tensor:
    """Map [D, d] of one modality after which its covariance, with the ridge, is the identity."""
    unit = 1 / found.deviation[place] if options.scale == "standardise" else torch.ones_like(found.mean[place])
    values, vectors = torch.linalg.eigh(unit[:, None] * found.covariance[place, place] * unit)
    kept = slice(-options.components if len(values) > _WIDE * options.components else None, None)
    values, vectors = values[kept].clamp_min(0), vectors[:, kept]
    return unit[:, None] * vectors / (values + options.ridge * values.mean()).sqrt()
