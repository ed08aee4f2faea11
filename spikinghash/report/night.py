"""What one night did: counts, rates, refused files by reason, and whether the new bits are healthy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spikinghash.codes.codeset import CodeSet
from spikinghash.evaluation.bits import bit_health
from spikinghash.report.verdict import verdict, verdict_line
from spikinghash.visible import markdown

#: Refused recordings that the page names.
_REFUSED_SHOWN = 100


def night_report(
    encoded: dict[str, Any],
    accounts: dict[str, Any],
    codes: CodeSet | None,
    fresh: np.ndarray | None,
    model: str,
    trained: np.ndarray | None = None,
    landed: dict[str, Any] | None = None,
    refused: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """JSON-ready. `encoded` is an `EncodeReport`, `accounts` an fsck, `codes` all codes of the model or None, `fresh`
    bool [N] which of them came tonight, `trained` float64 [K] the share of ones per bit in training where the model
    says so, `landed` what was brought from an object store, `refused` tonight's rows of the quarantine.

    Balance is the share of ones: over all bits, and of the bits with the fewest and the most.
    Drift is the mean over bits of |share of ones tonight - share of ones before|: 0 is none, 0.5 a lot. "Before" are
    the earlier codes of the database for `drift`, and the training codes for `drift_training`.
    """
    report: dict[str, Any] = {
        "model": model, "landing": landed, "encode": encoded, "fsck": accounts, "bits": None, "drift": None,
        "drift_training": None,
        "refused": [{key: row[key] for key in ("path", "reason", "message", "offset")} for row in refused],
    }  # fmt: skip
    if codes is not None and fresh is not None and len(codes):
        _judge_bits(report, codes, fresh, trained)
    return report | {"verdict": verdict(report)}


def _judge_bits(report: dict[str, Any], codes: CodeSet, fresh: np.ndarray, trained: np.ndarray | None) -> None:
    health = bit_health(codes.codes)
    report["bits"] = {k: v for k, v in health.to_dict().items() if k not in ("ones", "entropy")} | {
        "balance": {
            "mean": float(health.ones.mean()),
            "least": float(health.ones.min()),
            "most": float(health.ones.max()),
        }
    }
    if not fresh.any():
        return
    tonight = bit_health(codes.codes[fresh]).ones
    if not fresh.all():
        report["drift"] = _drift(tonight, bit_health(codes.codes[~fresh]).ones)
    if trained is not None:
        report["drift_training"] = _drift(tonight, trained)


def _drift(now: np.ndarray, before: np.ndarray) -> float:
    return float(np.abs(now - before).mean())


def night_text(report: dict[str, Any]) -> str:
    """The report as Markdown, for a person in the morning."""
    e, f, bits = report["encode"], report["fsck"], report["bits"]
    lines = [
        f"# Night report, model {markdown(report['model'])}",
        "",
        verdict_line(report["verdict"]),
        "",
        f"{e['found']} recordings found: {e['committed']} hashed, {e['skipped']} known, {e['quarantined']} refused, "
        f"{e['pending']} pending, in {e['seconds']:.1f} s ({e['events_per_s']:,} events a second).",
        "",
        f"The database is {'in order' if f['ok'] else 'NOT in order'}: {f['committed']} committed, {f['quarantined']} "
        f"quarantined, {f['pending']} pending, {f['duplicates']} doubled, {f['missing']} files missing.",
    ]
    lines += [f"- {markdown(problem)}" for problem in f.get("problems", [])]
    if report["landing"] is not None:
        lines += ["", *_landing_lines(report["landing"])]
    if e["reasons"]:
        lines += ["", "| refused because | files |", "|---|---|"]
        lines += [f"| {reason} | {count} |" for reason, count in e["reasons"].items()]
    if report["refused"]:
        lines += ["", *_refused_lines(report["refused"])]
    if bits is not None:
        against = (("drift", "earlier codes"), ("drift_training", "the training codes"))
        drift = "".join(f", drift against {what} {report[key]:.3f}" for key, what in against if report[key] is not None)
        ones = bits["balance"]
        lines += ["", f"{bits['clips']} codes of {bits['bits']} bits: {ones['mean']:.0%} ones ({ones['least']:.0%} to "
                  f"{ones['most']:.0%} by bit), entropy {bits['mean_entropy']:.3f} a bit, "
                  f"{len(bits['dead'])} dead, {bits['distinct']:.0%} different{drift}."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _refused_lines(refused: list[dict[str, Any]]) -> list[str]:
    more = len(refused) - _REFUSED_SHOWN
    return [
        "Refused tonight:",
        *(f"- {markdown(r['path'])}: {r['reason']}, {markdown(r['message'])}" for r in refused[:_REFUSED_SHOWN]),
        *([f"- and {more} more; the JSON beside this page names them"] if more > 0 else []),
    ]


def _landing_lines(landed: dict[str, Any]) -> list[str]:
    """Every refused name, for a file that was never fetched is in no quarantine."""
    refused, changed = landed["refused"], landed["changed"]
    return [
        f"{landed['found']} objects in {markdown(landed['address'])}: {landed['fetched']} fetched "
        f"({landed['bytes']:,} bytes), {landed['kept']} here already, {len(refused)} refused by name, "
        f"{len(changed)} changed while they were read.",
        *(f"- '{markdown(name)}' is refused: the name {markdown(rule)}" for name, rule in refused.items()),
        *(f"- '{markdown(name)}' is left for the next night" for name in changed),
    ]
