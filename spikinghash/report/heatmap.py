"""Confusion between the class of a query and the classes of what is found for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from spikinghash.errors import BadStore
from spikinghash.report.chart import INK, Chart, draw
from spikinghash.report.documents import ConfusionTable
from spikinghash.report.one_line import one_line

#: With more classes than this, numbers (names) no longer fit into the picture.
_NUMBERS, _NAMES = 12, 60


@dataclass(frozen=True)
class MixUp:
    """`share` of the neighbours of queries of class `query` are of class `found`."""

    query: str
    found: str
    pairs: int
    share: float


def confusion_shares(table: ConfusionTable) -> np.ndarray:
    """Counts as shares of each row, float64 [C, C]; a row without pairs is 0. `BadStore` if it is not square."""
    C = len(table.labels)
    if C == 0 or len(table.counts) != C or any(len(row) != C for row in table.counts):
        raise BadStore(
            "neighbours.json: the confusion is not one row and column per class; run the stage evaluate again"
        )
    counts = np.array(table.counts, dtype=np.float64)
    return counts / np.maximum(1, counts.sum(axis=1, keepdims=True))


def confusion_chart(table: ConfusionTable) -> Chart:
    """Rows are classes of queries, columns classes of their neighbours, in per cent of the row."""
    shares = confusion_shares(table)
    C = len(shares)
    names = [one_line(label, 18) for label in table.labels]

    def paint(axes: Axes) -> None:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="class of the neighbour", ylabel="class of the query")
        if C <= _NAMES:
            upright = max(map(len, names)) > 3
            axes.set_xticks(range(C), names, rotation=90 if upright else 0)
            axes.set_yticks(range(C), names)
            axes.tick_params(length=0, labelsize=8.5 if C <= 20 else 5.5)
        if C <= _NUMBERS:
            for i, j in np.ndindex(C, C):
                if shares[i, j] >= 0.005:
                    colour = "white" if shares[i, j] > 0.55 else INK
                    axes.text(j, i, f"{100 * shares[i, j]:.0f}", ha="center", va="center", color=colour)

    side = float(np.clip(1.5 + 0.35 * C, 3.2, 6.4))
    alt = (
        f"Confusion of {C} classes; on average {np.diag(shares).mean():.0%} of the neighbours are of the query's class."
    )
    return draw("Neighbours by class, per cent of the row", alt, paint, (side + 0.4, side))


def most_mixed_up(table: ConfusionTable, count: int = 5) -> list[MixUp]:
    """The `count` largest entries off the diagonal by share of their row, largest first."""
    shares = confusion_shares(table)
    np.fill_diagonal(shares, 0)
    order = np.argsort(-shares, axis=None, kind="stable")[:count]
    rows, columns = np.unravel_index(order, shares.shape)
    return [
        MixUp(table.labels[i], table.labels[j], table.counts[i][j], float(shares[i, j]))
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
        if shares[i, j] > 0
    ]
