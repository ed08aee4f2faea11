"""May a candidate take the place of the champion? Rules over what was measured of both, each with figure and bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.evaluation.paired_bootstrap import upper_bound


@dataclass(frozen=True)
class Bounds:
    """What is allowed. `worse_by` and `class_worse_by` are of mAP against the champion, at `confidence`; `energy_ratio`
    is of its energy. Without a champion `min_map` and `max_energy_uj` (None: any) hold. `dead_bits` is a share of all
    bits, `drift` the largest change of a bit's share of ones since training.
    """

    worse_by: float
    class_worse_by: float
    confidence: float
    energy_ratio: float
    min_map: float
    max_energy_uj: float | None
    dead_bits: float
    drift: float


@dataclass(frozen=True)
class Evidence:
    """What was measured of one model on the fixed queries.

    `precision` [3, Q] is average precision, expected, in the worst and in the best order of ties; `labels` and
    `recordings` [Q] are those of the queries. `drift` is None where the model does not say how its bits were;
    `differing` are clips with another code when hashed again, in other batches; `leaked` queries whose recording was
    trained on; `missing` what the model's description lacks.
    """

    model: str
    precision: NDArray[np.float64]
    labels: NDArray[np.object_]
    recordings: NDArray[np.uint64]
    energy_pj: float
    dead_bits: float
    drift: float | None
    differing: int
    leaked: int
    missing: tuple[str, ...]

    @property
    def map(self) -> float:
        """Expected mAP; queries without a relevant item are left out where they were skipped."""
        return float(np.nanmean(self.precision[0]))


@dataclass(frozen=True)
class Finding:
    """What one rule found: `figure` against `bound`, where there are numbers, and in words."""

    rule: str
    passed: bool
    figure: float | None
    bound: float | None
    said: str


@dataclass(frozen=True)
class Verdict:
    """All findings on a candidate; it passes if each of them did."""

    candidate: str
    champion: str | None
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it."""
        return all(finding.passed for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "passed": self.passed, "candidate": self.candidate, "champion": self.champion,
            "findings": [asdict(finding) for finding in self.findings],
        }  # fmt: skip


def judge(candidate: Evidence, champion: Evidence | None, bounds: Bounds) -> Verdict:
    """Every rule on `candidate`; both were measured on the same queries, in the same order."""
    compared = _alone(candidate, bounds) if champion is None else _against(candidate, champion, bounds)
    findings = (*compared, *_of_itself(candidate, bounds))
    return Verdict(candidate.model, None if champion is None else champion.model, findings)


def _alone(one: Evidence, bounds: Bounds) -> Iterator[Finding]:
    said = f"mAP {one.map:.4f}, the first champion needs {bounds.min_map:g}"
    yield Finding("map", one.map >= bounds.min_map, one.map, bounds.min_map, said)
    energy, most = one.energy_pj * 1e-6, bounds.max_energy_uj
    said = f"{energy:.3f} uJ a clip" + ("" if most is None else f", allowed are {most:g}")
    yield Finding("energy", most is None or energy <= most, energy, most, said)


def _against(one: Evidence, champion: Evidence, bounds: Bounds) -> Iterator[Finding]:
    # the champion's ties may have fallen well. The candidate's own are granted nothing beyond their expectation: in the
    # best order codes that are all equal would beat any champion
    gain = one.precision[0] - champion.precision[1]
    counted = np.isfinite(gain)
    gain, groups, labels = gain[counted], one.recordings[counted], one.labels[counted]
    at_most = upper_bound(gain, groups, bounds.confidence)
    said = f"mAP {one.map:.4f} against {champion.map:.4f}, at most {at_most:+.4f} by bootstrap and ties"
    yield Finding("map", at_most >= -bounds.worse_by, at_most, -bounds.worse_by, said)
    yield _by_class(gain, groups, labels, bounds)
    ratio = one.energy_pj / champion.energy_pj if champion.energy_pj else float(one.energy_pj > 0)
    said = f"{one.energy_pj * 1e-6:.3f} uJ a clip against {champion.energy_pj * 1e-6:.3f}"
    yield Finding("energy", ratio <= bounds.energy_ratio, ratio, bounds.energy_ratio, said)


def _by_class(
    gain: NDArray[np.float64], groups: NDArray[np.uint64], labels: NDArray[np.object_], bounds: Bounds
) -> Finding:
    names = sorted(set(labels.tolist()), key=str)
    # so many classes are looked at together: one of them would be bad by chance sooner than all queries are
    confidence = 1 - (1 - bounds.confidence) / len(names)
    at_most = {name: upper_bound(gain[labels == name], groups[labels == name], confidence) for name in names}
    worst = min(at_most, key=lambda name: at_most[name])
    bad = [name for name in names if at_most[name] < -bounds.class_worse_by]
    said = f"the class that lost most is {worst}, at most {at_most[worst]:+.4f}"
    if bad:
        said = f"worse in {len(bad)} of {len(names)} classes: {_few([f'{n} {at_most[n]:+.4f}' for n in bad])}"
    return Finding("class_map", not bad, at_most[worst], -bounds.class_worse_by, said)


def _of_itself(one: Evidence, bounds: Bounds) -> Iterator[Finding]:
    said = f"{one.dead_bits:.1%} of the bits are the same for all clips"
    yield Finding("dead_bits", one.dead_bits <= bounds.dead_bits, one.dead_bits, bounds.dead_bits, said)
    known = one.drift is not None and one.drift <= bounds.drift
    said = "the model does not say how its bits were in training"
    if one.drift is not None:
        said = f"the share of ones of a bit changed by up to {one.drift:.3f} since training"
    yield Finding("drift", known, one.drift, bounds.drift, said)
    said = f"{one.differing} clips got another code when hashed again in other batches"
    yield Finding("same_codes", one.differing == 0, float(one.differing), 0.0, said)
    said = f"{one.leaked} queries are recordings that it was trained on"
    yield Finding("leak", one.leaked == 0, float(one.leaked), 0.0, said)
    said = f"its description lacks {_few(one.missing)}" if one.missing else "its description is whole"
    yield Finding("card", not one.missing, float(len(one.missing)), 0.0, said)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
