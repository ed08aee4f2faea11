"""Similarity of classes as the codes have it and as training took it: the two matrices of the paper's Fig. 5."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from spikinghash.errors import BadStore
from spikinghash.report.chart import Chart, draw
from spikinghash.report.documents import SimilarityFile
from spikinghash.report.one_line import one_line

#: With more classes than this names no longer fit.
_NAMES = 60


def similarity_charts(content: SimilarityFile) -> list[Chart]:
    """S_hash and, where there is one, S_soft. `BadStore` if a matrix is not one row and column per class."""
    charts = [_matrix("S_hash: codes", content.hash, content.labels)]
    if content.soft is not None:
        charts.append(_matrix("S_soft: membrane potentials", content.soft, content.labels))
    return charts


def _matrix(title: str, rows: list[list[float]], labels: list[str]) -> Chart:
    C = len(labels)
    if C == 0 or len(rows) != C or any(len(row) != C for row in rows):
        raise BadStore("similarity.json: not one row and column per class; run the stage evaluate again")
    values = np.array(rows, dtype=np.float64)
    names = [one_line(label, 18) for label in labels]

    def paint(axes: Axes) -> None:
        image = axes.imshow(values, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        if C <= _NAMES:
            axes.set_xticks(range(C), names, rotation=90 if max(map(len, names)) > 3 else 0)
            axes.set_yticks(range(C), names)
            axes.tick_params(length=0, labelsize=8.5 if C <= 20 else 5.5)
        axes.figure.colorbar(image, ax=axes, shrink=0.8)

    others = values[~np.eye(C, dtype=bool)]
    between = f", {others.mean():.2f} between classes" if len(others) else ""
    alt = f"{title} of {C} classes: on average {np.diag(values).mean():.2f} within a class{between}."
    side = float(np.clip(1.5 + 0.35 * C, 3.2, 6.4))
    return draw(title, alt, paint, (side + 0.9, side))
