"""Mean, variance and covariance of many vectors, seen once in blocks, float64."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Spread:
    """`mean` [D] and `deviation` [D]: divided by N, and 1 where a dimension is constant but for rounding."""

    mean: Tensor
    deviation: Tensor


@dataclass(frozen=True)
class Moments:
    """`mean` [D], `deviation` [D] as in `Spread`, and `covariance` [D, D], divided by N."""

    mean: Tensor
    deviation: Tensor
    covariance: Tensor


def spread(vectors: Iterable[Tensor]) -> Spread:
    """Of the rows of all blocks [B, D]; there is at least one."""
    rows, origin, total, square = 0, torch.zeros(()), torch.zeros(()), torch.zeros(())
    for x, first in _around_first(vectors):
        rows, origin, total, square = rows + len(x), first, total + x.sum(0), square + x.square().sum(0)
    mean = total / rows
    return Spread(origin + mean, _deviation(square / rows - mean.square(), origin + mean))


def moments(vectors: Iterable[Tensor]) -> Moments:
    """Of the rows of all blocks [B, D]; there is at least one."""
    rows, origin, total, square = 0, torch.zeros(()), torch.zeros(()), torch.zeros(())
    for x, first in _around_first(vectors):
        rows, origin, total, square = rows + len(x), first, total + x.sum(0), square + x.T @ x
    mean = total / rows
    covariance = square / rows - mean[:, None] * mean
    return Moments(origin + mean, _deviation(covariance.diagonal(), origin + mean), covariance)


def _around_first(vectors: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Blocks less the mean of the first, so that little is cancelled, with that mean."""
    origin = None
    for block in vectors:
        origin = block.double().mean(0) if origin is None else origin
        yield block.double() - origin, origin


def _deviation(variance: Tensor, mean: Tensor) -> Tensor:
    """Root of the variance of float32 values, 1 where only rounding is left."""
    deviation = variance.clamp_min(0).sqrt()
    return torch.where(deviation > 1e-6 * mean.abs() + 1e-12, deviation, torch.ones_like(deviation))
