"""A map of codes: a mark for each clip, coloured by class, and where classes are few of a shape of its own."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from spikinghash.report.chart import GREY, Chart, draw
from spikinghash.report.one_line import one_line

#: Shapes that are told apart at this size, one a class; with more classes they would repeat.
SHAPES = ("o", "s", "^", "v", "D", "P", "X", "*", "<", ">")
#: Okabe and Ito's colours without the yellow, which no one sees on white, and three darker ones.
_COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1a1a1a", "#7b3294", "#8c510a", "#666666",
)  # fmt: skip
_NO_LABEL = "no label"


def map_chart(points: NDArray[np.float64], labels: Sequence[str | None], title: str) -> Chart:
    """Points [N, 2] of clips with `labels` [N]; beyond `SHAPES` classes colours alone tell them apart, unnamed."""
    names = np.array([_NO_LABEL if label is None else str(label) for label in labels], dtype=object)
    classes = sorted(set(names.tolist()))
    few = len(classes) <= len(SHAPES)
    colours = _COLOURS if few else [tuple(c) for c in mpl.colormaps["turbo"](np.linspace(0, 1, len(classes)))]

    def paint(axes: Axes) -> None:
        for place, name in enumerate(classes):
            x, y = points[names == name].T
            axes.plot(
                x, y, linestyle="none", marker=SHAPES[place] if few else "o", markersize=3.6, alpha=0.8,
                color=GREY if name == _NO_LABEL else colours[place], markeredgewidth=0, label=_in_legend(name),
            )  # fmt: skip
        axes.grid(visible=False)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(True)
        figure = axes.get_figure(root=True)
        if few and figure is not None:
            figure.legend(loc="outside lower center", ncols=5, markerscale=1.4, handletextpad=0.1, columnspacing=1)

    alt = f"{title}: t-SNE of the codes of {len(points)} clips of {len(classes)} classes."
    return draw(title, alt, paint, (4.4, 4.4))


def _in_legend(name: str) -> str:
    """Short, and not with an underscore in front: matplotlib hides those."""
    shown = one_line(name, 14)
    return f" {shown}" if shown.startswith("_") else shown
