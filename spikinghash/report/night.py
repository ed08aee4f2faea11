"""What one night did: counts, rates, refused files by reason, and whether the new bits are healthy."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikinghash.codes.codeset import CodeSet
from spikinghash.evaluation.bits import bit_health


def night_report(
    encoded: dict[str, Any], accounts: dict[str, Any], codes: CodeSet | None, fresh: np.ndarray | None, model: str
) -> dict[str, Any]:
    """JSON-ready. `encoded` is an `EncodeReport`, `accounts` an fsck, `codes` all codes of the model or None, `fresh`
    bool [N] which of them came tonight.

    Drift is the mean over bits of |share of ones tonight - share of ones before|: 0 is none, 0.5 a lot.
    """
    report: dict[str, Any] = {"model": model, "encode": encoded, "fsck": accounts, "bits": None, "drift": None}
    if codes is None or fresh is None or not len(codes):
        return report
    health = bit_health(codes.codes)
    report["bits"] = {k: v for k, v in health.to_dict().items() if k not in ("ones", "entropy")}
    if fresh.any() and not fresh.all():
        tonight, before = bit_health(codes.codes[fresh]).ones, bit_health(codes.codes[~fresh]).ones
        report["drift"] = float(np.abs(tonight - before).mean())
    return report


def night_text(report: dict[str, Any]) -> str:
    """The report as Markdown, for a person in the morning."""
    e, f, bits = report["encode"], report["fsck"], report["bits"]
    lines = [
        f"# Night report, model {report['model']}",
        "",
        f"{e['found']} recordings found: {e['committed']} hashed, {e['skipped']} known, {e['quarantined']} refused, "
        f"{e['pending']} pending, in {e['seconds']:.1f} s ({e['events_per_s']:,} events a second).",
        "",
        f"The database is {'in order' if f['ok'] else 'NOT in order'}: {f['committed']} committed, {f['quarantined']} "
        f"quarantined, {f['pending']} pending, {f['duplicates']} doubled, {f['missing']} files missing.",
    ]
    lines += [f"- {problem}" for problem in f.get("problems", [])]
    if e["reasons"]:
        lines += ["", "| refused because | files |", "|---|---|"]
        lines += [f"| {reason} | {count} |" for reason, count in e["reasons"].items()]
    if bits is not None:
        drift = "" if report["drift"] is None else f", drift against earlier codes {report['drift']:.3f}"
        lines += ["", f"{bits['clips']} codes of {bits['bits']} bits: entropy {bits['mean_entropy']:.3f} a bit, "
                  f"{len(bits['dead'])} dead, {bits['distinct']:.0%} different{drift}."]  # fmt: skip
    return "\n".join(lines) + "\n"
