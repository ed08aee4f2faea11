"""Accuracy over the length of codes, for numbers of time steps and two firing thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from spikinghash.report.chart import BLUE, GREEN, GREY, RED, svg

_COLOURS = {2: RED, 4: BLUE, 8: GREEN}


@dataclass(frozen=True)
class GridPoint:
    """mAP of one length of codes, mean over both directions and seeds, and that of random codes."""

    bits: int
    steps: int
    v_th: float
    map: float
    chance: float


def grid_points(results: Sequence[dict[str, Any]]) -> list[GridPoint]:
    """Results of pair trials of a grid -> its points, by length.

    Options name steps and threshold; single codes against all that is searched count, both directions alike.
    """
    found: dict[tuple[int, int, float], list[tuple[float, float]]] = {}
    for result in results:
        rows = [row for row in result["searched"]["database"] if row["direction"] in ("image-text", "text-image")]
        single = [(row["map"], row["chance"]["map"]) for row in rows if row["seen"] == "single"]
        found.setdefault((result["bits"], result["options"]["steps"], result["options"]["v_th"]), []).extend(single)
    return [
        GridPoint(*key, sum(x for x, _ in values) / len(values), sum(c for _, c in values) / len(values))
        for key, values in sorted(found.items())
    ]


def grid_chart(points: Sequence[GridPoint], title: str) -> bytes:
    """The figure as SVG: a line for each number of steps, dashed where the threshold is the higher one."""
    low = min(point.v_th for point in points)

    def paint(axes: Axes) -> None:
        for steps, v_th in sorted({(point.steps, point.v_th) for point in points}):
            some = [point for point in points if (point.steps, point.v_th) == (steps, v_th)]
            axes.plot(
                [point.bits for point in some],
                [point.map for point in some],
                color=_COLOURS.get(steps, GREY),
                linestyle="-" if v_th == low else "--",
                marker="o",
                markersize=4,
                label=f"T = {steps}, threshold {v_th:g}",
            )
        axes.axhline(points[0].chance, color=GREY, linewidth=1, linestyle=":", label="random codes")
        bits = sorted({point.bits for point in points})
        axes.set_xscale("log", base=2)
        axes.set_xticks(bits, [str(one) for one in bits])
        axes.set(xlabel="bits", ylabel="mAP, mean of both directions")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))

    return svg(title, paint, (6.4, 3.2))
