"""Line charts: precision against recall, and what happened over the epochs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from spikinghash.report.chart import BLUE, GREY, RED, Chart, draw
from spikinghash.report.series import Column, Series

#: Columns of the history that get a picture, and their titles.
_HISTORY = {
    "loss": "Training loss",
    "accuracy": "Training accuracy",
    "val_map": "Validation mAP",
    "distinct": "Distinct codes, share of clips",
    "dead_bits": "Dead bits",
    "lr": "Learning rate",
    "grad_norm": "Gradient norm",
    "clips_per_s": "Clips per second",
}
_SHARES = ("accuracy", "val_map", "distinct")


def precision_recall(points: Series) -> Chart:
    """Precision against recall; every point is a Hamming radius, the dotted line is what chance would give."""
    radius, recall, precision = (points.numbers(name) for name in ("radius", "recall", "precision"))

    def paint(axes: Axes) -> None:
        axes.plot(recall, precision, color=BLUE, linewidth=1.6, marker="o", markersize=3)
        if recall[-1] >= 1:
            # everything is within the largest radius: its precision is the share of relevant pairs
            axes.axhline(precision[-1], color=GREY, linewidth=1, linestyle=":")
            axes.annotate("chance", (0.01, precision[-1]), (0, 3), textcoords="offset points", color="#5a6067")
        near = np.flatnonzero(radius == 2)
        if near.size:
            at = (recall[near[0]], precision[near[0]])
            axes.plot(*at, "o", color=RED, markersize=6, clip_on=False, label="within radius 2")
            axes.legend(loc="upper right")
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.03))

    alt = f"Precision against recall over Hamming radii {radius[0]:.0f} to {radius[-1]:.0f}."
    return draw("Precision and recall by Hamming radius", alt, paint, (5.3, 3.2))


def training_curves(history: Series, best_epoch: int | None = None) -> list[Chart]:
    """One chart per column of the history that has numbers; the chosen epoch is marked."""
    epoch = history.numbers("epoch")
    charts = []
    for name, title in _HISTORY.items():
        if name in history and np.isfinite(values := history.numbers(name)).any():
            charts.append(_over_epochs(title, epoch, values, best_epoch, share=name in _SHARES))
    return charts


def _over_epochs(title: str, epoch: Column, values: Column, best_epoch: int | None, *, share: bool) -> Chart:
    known = np.isfinite(values)

    def paint(axes: Axes) -> None:
        marker = "o" if known.sum() <= 30 else ""
        axes.plot(epoch[known], values[known], color=BLUE, linewidth=1.5, marker=marker, markersize=3)
        if best_epoch is not None and epoch[0] <= best_epoch <= epoch[-1]:
            axes.axvline(best_epoch, color=RED, linewidth=1, linestyle="--")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if share:
            axes.set_ylim(0, 1.03)
        elif values[known].min() >= 0:
            axes.set_ylim(0, max(float(values[known].max()) * 1.05, 1e-12))

    last = values[known][-1]
    return draw(
        title, f"{title} over epochs {epoch[0]:.0f} to {epoch[-1]:.0f}, in the end {last:.4g}.", paint, (3.1, 2.1)
    )
