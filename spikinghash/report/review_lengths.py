"""Accuracy against energy of codes cut to their first bits, for two models in one chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from spikinghash.evaluation.truncate import Truncated
from spikinghash.report.chart import BLUE, INK, Chart, draw


def lengths_chart(first: Sequence[Truncated], second: Sequence[Truncated], names: tuple[str, str]) -> Chart:
    """A point for each length; bars reach from the worst to the best order of ties."""

    def paint(axes: Axes) -> None:
        styles = ((first, names[0], "o", INK), (second, names[1], "s", BLUE))
        for points, name, marker, colour in styles:
            energy, value, worst, best = (
                np.array([getattr(one, key) for one in points]) for key in ("energy_pj", "map", "worst", "best")
            )
            axes.errorbar(
                energy * 1e-6, value, yerr=(value - worst, best - value), marker=marker, color=colour, markersize=4.5,
                linewidth=1, capsize=2, elinewidth=0.8, label=name,
            )  # fmt: skip
            # above and below in turn: cutting saves little energy, so that points lie close together
            for place, one in enumerate(points):
                axes.annotate(
                    str(one.bits), (one.energy_pj * 1e-6, one.best if place % 2 else one.worst), ha="center",
                    va="bottom" if place % 2 else "top", xytext=(0, 3 if place % 2 else -3),
                    textcoords="offset points", fontsize=7.5, color=colour,
                )  # fmt: skip
        axes.ticklabel_format(axis="x", useOffset=False, style="plain")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.margins(x=0.12, y=0.14)
        axes.set(xlabel="estimated energy, µJ a clip", ylabel="mAP")
        axes.legend(loc="best")

    ends = "; ".join(
        f"{name}: {points[0].bits} bits {points[0].map:.3f}, {points[-1].bits} bits {points[-1].map:.3f}"
        for name, points in zip(names, (first, second), strict=True)
    )
    return draw("mAP against energy, by bits", f"mAP of codes cut to their first bits. {ends}.", paint, (5.3, 3.2))
