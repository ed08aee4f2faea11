"""What one night did: counts, rates, refused files by reason, growth, and whether the new bits are healthy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikinghash.codes.codeset import CodeSet
from spikinghash.evaluation.bits import bit_health
from spikinghash.report.verdict import Bounds, verdict

#: Paths that are named for each reason of refusal.
_EXAMPLES = 3


@dataclass(frozen=True)
class Night:
    """What is known of a night, as plain values.

    `db` is the database as it may be shown, `model` the digest of the model in use, `encode` an `EncodeReport`, `fsck`
    its accounts, `refused` tonight's rows of the quarantine, `landed` what was brought from an object store. `growth`
    is of `nightly.growth`, `pinned` of `nightly.pinned_recall`, `shadow` of `nightly.shadow` with its `bits` and what
    `nightly.shadow_overlap` found. `moved` is the entry of the promotion log for a champion that was changed by other
    means, `growing` files that are still being written, `stayed` those of them that were so in the night before.
    """

    db: str
    model: str
    encode: dict[str, Any]
    fsck: dict[str, Any]
    refused: Sequence[dict[str, Any]] = ()
    landed: dict[str, Any] | None = None
    growth: dict[str, Any] | None = None
    pinned: dict[str, Any] | None = None
    shadow: dict[str, Any] | None = None
    moved: dict[str, Any] | None = None
    growing: Sequence[str] = ()
    stayed: Sequence[str] = ()


def night_report(
    night: Night, bounds: Bounds, codes: CodeSet | None = None, fresh: np.ndarray | None = None,
    trained: np.ndarray | None = None,
) -> dict[str, Any]:  # fmt: skip
    """JSON-ready. `codes` are all codes of the model or None, `fresh` bool [N] says which of them came tonight,
    `trained` float64 [K] the share of ones per bit in training where the model says so.

    Balance is the share of ones: over all bits, and of the bits with the fewest and the most.
    Drift is the mean over bits of |share of ones tonight - share of ones before|: 0 is none, 0.5 a lot. "Before" are
    the earlier codes of the database for `drift`, and the training codes for `drift_training`; `chance` has what so
    few codes would differ by without any drift.
    """
    e = night.encode
    report: dict[str, Any] = {
        "db": night.db, "model": night.model, "landing": night.landed, "encode": e, "fsck": night.fsck,
        "growth": night.growth, "pinned": night.pinned, "shadow": night.shadow, "moved": night.moved,
        "growing": list(night.growing), "stayed": list(night.stayed),
        "recordings_per_s": round(e["committed"] / e["seconds"], 3) if e["seconds"] else 0.0,
        "refused": [{key: row[key] for key in ("path", "reason", "message", "offset")} for row in night.refused],
        "refusals": _by_reason(night.refused),
        "bits": None, "drift": None, "drift_training": None, "chance": {"drift": None, "drift_training": None},
    }  # fmt: skip
    if codes is not None and fresh is not None and len(codes):
        report["bits"] = bits_of(codes.codes)
        _judge_drift(report, codes, fresh, trained)
    return report | verdict(report, bounds)


def _by_reason(refused: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many were refused tonight for each reason, and some of their paths."""
    paths: dict[str, list[str]] = {}
    for row in refused:
        paths.setdefault(row["reason"], []).append(row["path"])
    return {reason: {"count": len(some), "examples": some[:_EXAMPLES]} for reason, some in sorted(paths.items())}


def bits_of(codes: np.ndarray) -> dict[str, Any]:
    """Health of codes uint8 [N, K/8] in a few numbers."""
    health = bit_health(codes)
    return {k: v for k, v in health.to_dict().items() if k not in ("ones", "entropy")} | {
        "balance": {
            "mean": float(health.ones.mean()),
            "least": float(health.ones.min()),
            "most": float(health.ones.max()),
        }
    }


def _judge_drift(report: dict[str, Any], codes: CodeSet, fresh: np.ndarray, trained: np.ndarray | None) -> None:
    if not fresh.any():
        return
    N, chance = int(fresh.sum()), report["chance"]
    tonight = bit_health(codes.codes[fresh]).ones
    if not fresh.all():
        before = bit_health(codes.codes[~fresh]).ones
        report["drift"] = _drift(tonight, before)
        chance["drift"] = _chance(before, 1 / N + 1 / int((~fresh).sum()))
    if trained is not None:
        report["drift_training"] = _drift(tonight, trained)
        chance["drift_training"] = _chance(trained, 1 / N)


def _drift(now: np.ndarray, before: np.ndarray) -> float:
    return float(np.abs(now - before).mean())


def _chance(ones: np.ndarray, share: float) -> float:
    """The standard deviation of the share of ones in a sample of independent codes, mean over bits."""
    return float(np.sqrt(ones * (1 - ones) * share).mean())
