"""What a night amounts to: good, worth a look, or bad, with the thresholds that say so."""

from __future__ import annotations

from typing import Any

#: A bit is one for half of the clips or so; a mean shift of this much is another kind of recording, or a broken camera.
DRIFT_LOOK, DRIFT_BAD = 0.10, 0.25
#: Shares beyond which somebody should look: bits that are the same for every clip, and refused recordings.
DEAD_LOOK, REFUSED_LOOK = 0.05, 0.05


def verdict(report: dict[str, Any]) -> dict[str, Any]:
    """`state` (good, look or bad), `reasons` in words, and the `thresholds`, of a night report as plain values."""
    bad: list[str] = []
    look: list[str] = []
    e, accounts, bits = report["encode"], report["fsck"], report["bits"]
    if not accounts["ok"]:
        bad.append("the accounts do not add up")
    drift = max((report[key] for key in ("drift", "drift_training") if report[key] is not None), default=0.0)
    if drift > DRIFT_LOOK:
        (bad if drift > DRIFT_BAD else look).append(f"drift {drift:.3f}")
    if e["found"] and e["quarantined"] / e["found"] > REFUSED_LOOK:
        look.append(f"{e['quarantined']} of {e['found']} recordings refused")
    if bits is not None and len(bits["dead"]) / bits["bits"] > DEAD_LOOK:
        look.append(f"{len(bits['dead'])} of {bits['bits']} bits are dead")
    return {
        "state": "bad" if bad else "look" if look else "good",
        "reasons": bad + look,
        "thresholds": {
            "drift_look": DRIFT_LOOK, "drift_bad": DRIFT_BAD, "dead_share_look": DEAD_LOOK,
            "refused_share_look": REFUSED_LOOK,
        },
    }  # fmt: skip


def verdict_line(found: dict[str, Any]) -> str:
    """One line for a person."""
    limits = found["thresholds"]
    words = {"good": "Good", "look": "Worth a look", "bad": "Bad"}[found["state"]]
    why = f": {'; '.join(found['reasons'])}" if found["reasons"] else ""
    return (
        f"{words}{why} (drift above {limits['drift_look']} is worth a look, above {limits['drift_bad']} bad; dead bits "
        f"above {limits['dead_share_look']:.0%} and refused recordings above {limits['refused_share_look']:.0%} are "
        "worth a look)"
    )
