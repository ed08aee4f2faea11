"""How sure a mean of differences is: bootstrap over recordings, whose clips go together.

Efron and Tibshirani, "An introduction to the bootstrap" (1993), percentile interval. Drawing whole recordings keeps
clips that look alike from counting as so many witnesses (Field and Welsh, "Bootstrapping clustered data", 2007).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError

DRAWS = 4000
_AT_ONCE = 64


def upper_bound(
    differences: NDArray[np.float64], groups: NDArray[np.uint64], confidence: float, seed: int = 0
) -> float:
    """The mean of `differences` [Q] is below this with so much confidence; `groups` [Q] are drawn whole.

    The same arguments give the same number. `ConfigError` for no differences or a confidence outside (0, 1).
    """
    _check(differences, groups, confidence)
    return _quantiles(differences, groups, [confidence], seed)[0]


def interval(
    differences: NDArray[np.float64], groups: NDArray[np.uint64], confidence: float, seed: int = 0
) -> tuple[float, float]:
    """The mean of `differences` lies between these with so much confidence, as much outside on either side.

    Arguments and errors as in `upper_bound`.
    """
    _check(differences, groups, confidence)
    out = (1 - confidence) / 2
    low, high = _quantiles(differences, groups, [out, 1 - out], seed)
    return low, high


def _check(differences: NDArray[np.float64], groups: NDArray[np.uint64], confidence: float) -> None:
    if len(differences) == 0 or len(differences) != len(groups):
        raise ConfigError(f"{len(differences)} differences of {len(groups)} queries cannot be compared")
    if not 0 < confidence < 1:
        raise ConfigError(f"a confidence lies between 0 and 1, not {confidence}")


def _quantiles(differences: NDArray[np.float64], groups: NDArray[np.uint64], at: list[float], seed: int) -> list[float]:
    means = draw_means(differences, groups, np.random.default_rng(seed))
    return [float(value) for value in np.quantile(means, at)]


def draw_means(
    differences: NDArray[np.float64], groups: NDArray[np.uint64], rng: np.random.Generator, draws: int = DRAWS
) -> NDArray[np.float64]:
    """Means of `draws` samples of as many groups as there are, drawn with replacement, [draws]."""
    _, member = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(member, differences), np.bincount(member).astype(np.float64)
    means = []
    for lo in range(0, draws, _AT_ONCE):
        drawn = rng.integers(0, len(sums), (min(_AT_ONCE, draws - lo), len(sums)))
        means.append(sums[drawn].sum(1) / counts[drawn].sum(1))
    return np.concatenate(means)
