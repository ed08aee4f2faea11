"""Trials to mean and deviation over seeds, and to a table a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

#: Results that are averaged; everything else is the same for all seeds of an arm.
AVERAGED = ("map", "accuracy", "acg_at_100", "ndcg_at_100", "energy_uj", "train_seconds")
#: What is known without any method, by the line of the table.
BESIDE = {"count images, not hashed": "count_image_map", "chance": "chance"}


def summarise(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row an arm, in the order of first appearance: {name: {"mean", "sd"}} (sample deviation, 0 for one seed), None
    for what a method has not; `searched` has the mAP of each set of clips, and what is known there without a method.
    """
    arms = dict.fromkeys(r["arm"] for r in results)
    rows = []
    for arm in arms:
        own = [r for r in results if r["arm"] == arm]
        row: dict[str, Any] = {"arm": arm, "seeds": [r["seed"] for r in own], "parameters": own[0]["parameters"]}
        row |= {key: None if own[0][key] is None else _averaged(own, key) for key in AVERAGED}
        if "searched" in own[0]:
            by_clips = zip(*(r["searched"] for r in own), strict=True)
            row["searched"] = [
                {key: some[0][key] for key in ("clips", *BESIDE.values())} | {"map": _averaged(some, "map")}
                for some in by_clips
            ]
        rows.append(row)
    return rows


def _averaged(results: Sequence[Mapping[str, Any]], key: str) -> dict[str, float]:
    values = [float(one[key]) for one in results]
    return {"mean": mean(values), "sd": stdev(values) if len(values) > 1 else 0.0}


def markdown(study: dict[str, Any]) -> str:
    """A study (`study`, `set`, `task`, `rows` of `summarise`) as a Markdown table; one whose protocol searches what was
    not trained on has a second one.
    """
    less = f" without {', '.join(study['left_out'])}" if "left_out" in study else ""
    lines = [
        f"**{study['study']}** ({study['set']}{less}, {study['task']}, {study['epochs']} epochs, "
        f"{len(study['rows'][0]['seeds'])} seeds)",
        "",
        "| arm | parameters | mAP | accuracy | ACG@100 | NDCG@100 | energy, µJ a clip |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in study["rows"]:
        cells = [_cell(row[key], 3) for key in ("map", "accuracy", "acg_at_100", "ndcg_at_100")]
        lines.append(f"| {row['arm']} | {row['parameters']:,} | {' | '.join(cells)} | {_cell(row['energy_uj'], 1)} |")
    if "searched" in study["rows"][0]:
        lines += ["", *_searched(study["rows"])]
    return "\n".join(lines) + "\n"


def _searched(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    found = rows[0]["searched"]
    lines = [["mAP among the clips:", *(one["clips"] for one in found)], ["---"] * (1 + len(found))]
    lines += [[row["arm"], *(_cell(one["map"], 3) for one in row["searched"])] for row in rows]
    lines += [[name, *(f"{one[key]:.3f}" for one in found)] for name, key in BESIDE.items()]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _cell(value: Mapping[str, float] | None, digits: int) -> str:
    return "-" if value is None else f"{value['mean']:.{digits}f} ± {value['sd']:.{digits}f}"
