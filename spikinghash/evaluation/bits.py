"""Health of a set of codes: are the bits balanced, alive, independent, and do they tell clips apart?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.codes.packing import unpack
from spikinghash.errors import ConfigError

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class BitHealth:
    """Per bit: `ones` (fraction of ones) and `entropy` (0 to 1 bit), float64 [K]; `dead` lists constant bits.

    `correlation` is the mean |Pearson correlation| over pairs of live bits, None with fewer than two of them.
    `distinct` is the number of different codes over the number of clips.
    """

    clips: int
    ones: NDArray[np.float64]
    entropy: NDArray[np.float64]
    dead: tuple[int, ...]
    correlation: float | None
    distinct: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "clips": self.clips,
            "bits": len(self.ones),
            "ones": self.ones.tolist(),
            "entropy": self.entropy.tolist(),
            "mean_entropy": float(self.entropy.mean()),
            "dead": list(self.dead),
            "correlation": self.correlation,
            "distinct": self.distinct,
        }


def bit_health(codes: NDArray[np.uint8]) -> BitHealth:
    """Health of codes uint8 [N, K/8]; `ConfigError` for no codes."""
    if len(codes) == 0:
        raise ConfigError("bit health needs at least one code")
    together = _ones_together(codes)
    ones = np.diag(together) / len(codes)
    dead = (ones == 0) | (ones == 1)
    return BitHealth(
        clips=len(codes),
        ones=ones,
        entropy=_entropy(ones),
        dead=tuple(np.flatnonzero(dead).tolist()),
        correlation=_mean_correlation(together[np.ix_(~dead, ~dead)] / len(codes)),
        distinct=_distinct(codes) / len(codes),
    )


def _distinct(codes: NDArray[np.uint8]) -> int:
    # one opaque item a row sorts far faster than np.unique(axis=0), which compares byte by byte
    return len(np.unique(np.ascontiguousarray(codes).view(f"V{codes.shape[1]}")))


def _ones_together(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How often bits i and j are both 1, [K, K]; whole numbers, exact in float64 up to 2^53 clips."""
    total = np.zeros((codes.shape[1] * 8,) * 2)
    for start in range(0, len(codes), _ROWS_AT_ONCE):
        bits = unpack(codes[start : start + _ROWS_AT_ONCE]).astype(np.float32)
        total += bits.T @ bits  # at most 65,536 a block: exact in float32
    return total


def _entropy(ones: NDArray[np.float64]) -> NDArray[np.float64]:
    entropy = np.zeros_like(ones)
    for share in (ones, 1 - ones):
        some = share > 0
        entropy[some] -= share[some] * np.log2(share[some])
    return entropy


def _mean_correlation(together: NDArray[np.float64]) -> float | None:
    live = len(together)
    if live < 2:
        return None
    ones = np.diag(together)
    spread = np.sqrt(ones * (1 - ones))
    correlation = np.abs((together - np.outer(ones, ones)) / np.outer(spread, spread))
    return float((correlation.sum() - np.trace(correlation)) / (live * (live - 1)))
