"""Results of pair trials as tables: mean and deviation over seeds; codes of one input and of pairs never in one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import mean, stdev
from typing import Any

_HEAD = (
    "| arm | bits | seeds | mAP I2T | mAP T2I | mAP I2I | mAP T2T | @50-A I2T | @50-A T2I "
    "| parameters | dense MAC | SOP | energy, uJ | train, s |"
)
_DIRECTIONS = ("image-text", "text-image", "image-image", "text-text")


def pair_tables(results: Sequence[dict[str, Any]]) -> str:
    """A table for each set, what was searched and what codes were made of."""
    kinds = {
        (r["set"], name, row["seen"]): None for r in results for name, rows in r["searched"].items() for row in rows
    }
    return "\n".join(_table(results, *kind) for kind in sorted(kinds, key=lambda k: (k[0], k[2] != "single", k[1])))


def _table(results: Sequence[dict[str, Any]], set_name: str, searched: str, seen: str) -> str:
    groups: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    chance: list[dict[str, float]] = []
    for result in results:
        rows = {row["direction"]: row for row in result["searched"].get(searched, []) if row["seen"] == seen}
        if result["set"] == set_name and rows:
            groups[result["arm"], result["bits"]].append({"result": result, "rows": rows})
            chance += [rows[name]["chance"] for name in _DIRECTIONS[:2]]
    lines = [f"**{set_name}**, searched: {searched}, codes: {seen}\n", _HEAD, "|---" * 14 + "|"]
    lines += [_line(arm, bits, found, seen) for (arm, bits), found in groups.items()]
    by_chance = [f"{mean(one[key] for one in chance):.3f}" for key in ("map", "map_at_50_a")]
    lines.append(f"| chance | | | {' | '.join(by_chance[:1] * 4 + by_chance[1:] * 2)} | | | | | |")
    return "\n".join(lines) + "\n"


def _line(arm: str, bits: int, found: Sequence[dict[str, Any]], seen: str) -> str:
    cells = [_cell(one["rows"][name]["map"] for one in found) for name in _DIRECTIONS]
    cells += [_cell(one["rows"][name]["map_at_50_a"] for one in found) for name in _DIRECTIONS[:2]]
    first = found[0]["result"]
    energy = [_energy(one["result"], seen) for one in found]
    numbers = [mean(one[key] for one in energy) for key in ("dense_mac", "sop", "energy_pj")]
    seconds = mean(one["result"]["train_seconds"] for one in found)
    rest = [f"{first['parameters']:,}", f"{numbers[0]:,.0f}", f"{numbers[1]:,.0f}", f"{numbers[2] * 1e-6:.2f}"]
    return f"| {arm} | {bits} | {len(found)} | {' | '.join([*cells, *rest])} | {seconds:.1f} |"


def _energy(result: dict[str, Any], seen: str) -> dict[str, float]:
    """Of an item: of the pair, or of both modalities one after the other."""
    energy = result["energy"]
    if seen == "paired":
        return dict(energy["paired"])
    return {key: sum(energy[name][key] for name in energy if name != "paired") for key in next(iter(energy.values()))}


def _cell(values: Iterable[float]) -> str:
    some = list(values)
    return f"{mean(some):.3f}" + (f" ± {stdev(some):.3f}" if len(some) > 1 else "")
