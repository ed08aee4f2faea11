"""Trials to mean and deviation over seeds, and to a table a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

#: Results that are averaged; everything else is the same for all seeds of an arm.
AVERAGED = ("map", "accuracy", "acg_at_100", "ndcg_at_100", "energy_uj", "train_seconds")


def summarise(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row an arm, in the order of first appearance: {name: {"mean", "sd"}} (sample deviation, 0 for one seed)."""
    arms = dict.fromkeys(r["arm"] for r in results)
    rows = []
    for arm in arms:
        own = [r for r in results if r["arm"] == arm]
        row: dict[str, Any] = {"arm": arm, "seeds": [r["seed"] for r in own], "parameters": own[0]["parameters"]}
        for key in AVERAGED:
            values = [float(r[key]) for r in own]
            row[key] = {"mean": mean(values), "sd": stdev(values) if len(values) > 1 else 0.0}
        rows.append(row)
    return rows


def markdown(study: dict[str, Any]) -> str:
    """A study (`study`, `set`, `task`, `rows` of `summarise`) as a Markdown table."""
    lines = [
        f"**{study['study']}** ({study['set']}, {study['task']}, {study['epochs']} epochs, "
        f"{len(study['rows'][0]['seeds'])} seeds)",
        "",
        "| arm | parameters | mAP | accuracy | ACG@100 | NDCG@100 | energy, µJ a clip |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in study["rows"]:
        cells = [_cell(row[key], 3) for key in ("map", "accuracy", "acg_at_100", "ndcg_at_100")]
        lines.append(f"| {row['arm']} | {row['parameters']:,} | {' | '.join(cells)} | {_cell(row['energy_uj'], 1)} |")
    return "\n".join(lines) + "\n"


def _cell(value: dict[str, float], digits: int) -> str:
    return f"{value['mean']:.{digits}f} ± {value['sd']:.{digits}f}"
