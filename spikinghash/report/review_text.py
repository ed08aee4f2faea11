"""The sentences and the small table at the top of a review."""

from __future__ import annotations

from dataclasses import dataclass

from spikinghash.evaluation.compare_models import tied_map
from spikinghash.evaluation.gate import Verdict
from spikinghash.evaluation.measured import Measured
from spikinghash.report.units import change, energy, score


@dataclass(frozen=True)
class BothRow:
    """One figure of both models, and what became of it."""

    name: str
    first: str
    second: str
    change: str


def verdict_line(first: str, second: str, verdict: Verdict) -> str:
    """Which model may take the place of which."""
    return f"{capital(second)} may {'' if verdict.passed else 'not '}replace {first}"


def gate_line(verdict: Verdict) -> str:
    """How many rules hold, or which do not."""
    rules = len(verdict.findings)
    refused = [finding.rule for finding in verdict.findings if not finding.passed]
    if not refused:
        return f"The gate let it pass: all {rules} rules hold."
    return f"The gate refused it: {len(refused)} of {rules} rules do not hold ({', '.join(refused)})."


def both_rows(first: Measured, second: Measured) -> list[BothRow]:
    """mAP with the bounds that ties leave, energy, and the state of the bits."""
    a, b = first.evidence, second.evidence
    (a_worst, a_best), (b_worst, b_best) = tied_map(a), tied_map(b)
    return [
        _scores("mAP, expected over ties", a.map, b.map),
        _scores("mAP, worst order of ties", a_worst, b_worst),
        _scores("mAP, best order of ties", a_best, b_best),
        BothRow("energy a clip, estimated", energy(a.energy_pj), energy(b.energy_pj), _ratio(a.energy_pj, b.energy_pj)),
        BothRow("dead bits", _dead(first), _dead(second), ""),
        _scores("largest drift of a bit since training", a.drift, b.drift),
    ]


def interval_line(difference: tuple[float, float], confidence: float, recordings: int) -> str:
    """The bootstrap's interval in words."""
    low, high = map(change, difference)
    return (
        f"The difference in expected mAP lies between {low} and {high} with {confidence:.0%} confidence, by a paired "
        f"bootstrap over the {recordings:,} recordings of the queries."
    )


def capital(text: str) -> str:
    """With a capital in front, whatever else is in it."""
    return text[:1].upper() + text[1:]


def _scores(name: str, first: float | None, second: float | None) -> BothRow:
    known = first is not None and second is not None
    return BothRow(name, score(first), score(second), change(second - first) if known else "")  # type: ignore[operator]


def _ratio(first: float, second: float) -> str:
    return f"{100 * (second / first - 1):+.1f} %".replace("-", "−") if first else ""


def _dead(one: Measured) -> str:
    return f"{len(one.health.dead)} of {one.gallery.bits}"
