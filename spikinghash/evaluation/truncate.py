"""What is left of a model when its codes are cut to their first bits; nothing is trained for the shorter length."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.packing import code_bytes
from spikinghash.errors import ConfigError
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.measured import Measured
from spikinghash.evaluation.metric import Empty
from spikinghash.evaluation.retrieval import between
from spikinghash.evaluation.tie_aware import tied_bounds

#: Lengths that papers report.
LENGTHS = (16, 32, 48, 64, 128)


@dataclass(frozen=True)
class Truncated:
    """mAP of the first `bits` bits, expected and in the worst and best order of ties, and energy in pJ a clip."""

    bits: int
    map: float
    worst: float
    best: float
    energy_pj: float


def truncate(one: Measured, empty: Empty) -> tuple[Truncated, ...]:
    """A point for each of `LENGTHS` below the model's own, and for that.

    A hash layer computes its bits apart, so its energy shrinks with their number; that of all other layers stays.
    """
    whole = one.gallery.bits
    points = []
    for bits in [*(length for length in LENGTHS if length < whole), whole]:
        task = between(first_bits(one.queries, bits), first_bits(one.gallery, bits))
        expected, worst, best = np.nanmean(tied_bounds(distance_histogram(task), empty=empty), axis=1).tolist()
        saved = one.hash_pj * (1 - bits / whole)
        points.append(Truncated(bits, expected, worst, best, one.evidence.energy_pj - saved))
    return tuple(points)


def first_bits(codes: CodeSet, bits: int) -> CodeSet:
    """The same clips with the first `bits` bits of their codes; `ConfigError` for other than 8, 16, ... of them."""
    width = code_bytes(bits)
    if bits > codes.bits:
        raise ConfigError(f"codes of {codes.bits} bits have no first {bits}")
    return replace(codes, codes=np.ascontiguousarray(codes.codes[:, :width]), bits=bits)
