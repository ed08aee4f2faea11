"""One model as it was measured on the fixed queries of a store: figures, and the codes that they come from."""

from __future__ import annotations

from dataclasses import dataclass

from spikinghash.codes.codeset import CodeSet
from spikinghash.evaluation.bits import BitHealth
from spikinghash.evaluation.gate import Evidence


@dataclass(frozen=True, eq=False)
class Measured:
    """`evidence` is what the gate reads; `queries` ask `gallery`, whose bits have `health`.

    `hash_pj` is the part of `evidence.energy_pj` that grows with the length of codes, pJ a clip.
    """

    evidence: Evidence
    queries: CodeSet
    gallery: CodeSet
    health: BitHealth
    hash_pj: float
