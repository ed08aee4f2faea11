"""Classes by what they lost: mAP of two models joined by a line, with the bounds of ties."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from spikinghash.evaluation.compare_models import ClassRow
from spikinghash.report.chart import BLUE, GREEN, INK, RED, Chart, draw
from spikinghash.report.one_line import one_line

#: Beyond this many, only those that lost and gained most are drawn.
MOST_CLASSES = 30
_ASIDE = 0.17


def drawn_classes(rows: Sequence[ClassRow]) -> list[ClassRow]:
    """All rows, or the first and the last `MOST_CLASSES` / 2; their order stays."""
    half = MOST_CLASSES // 2
    return list(rows) if len(rows) <= MOST_CLASSES else [*rows[:half], *rows[-half:]]


def class_chart(rows: Sequence[ClassRow], names: tuple[str, str]) -> Chart:
    """`rows` with the largest loss first; `names` of the first and the second model."""
    shown = drawn_classes(rows)
    low = min(min(row.first_ties[0], row.second_ties[0]) for row in shown)

    def paint(axes: Axes) -> None:
        for place, row in enumerate(shown):
            _paint_row(axes, place, row)
        axes.set_yticks(range(len(shown)), [one_line(row.label, 18) for row in shown])
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.set(xlabel="mAP", xlim=(max(0.0, low - 0.03), 1.02), ylim=(len(shown) - 0.4, -0.6))
        figure = axes.get_figure(root=True)
        if figure is not None:
            figure.legend(handles=_legend(names), loc="outside lower left", ncols=2)

    lost = sum(row.second < row.first for row in rows)
    alt = f"mAP of {len(rows)} classes under both models; {lost} of them lost. The table below has the numbers."
    return draw("mAP by class, largest loss first", alt, paint, (5.3, 1.2 + 0.27 * len(shown)))


def _paint_row(axes: Axes, place: int, row: ClassRow) -> None:
    change = row.second - row.first
    axes.plot([row.first, row.second], [place, place], color=RED if change < 0 else GREEN, linewidth=2.2, zorder=2)
    for ties, above, colour in ((row.first_ties, -_ASIDE, INK), (row.second_ties, _ASIDE, BLUE)):
        axes.plot(ties, [place + above] * 2, color=colour, linewidth=1.1, marker="|", markersize=3, zorder=1)
    axes.plot(row.first, place, marker="o", color="white", markeredgecolor=INK, markersize=5.5, zorder=3)
    axes.plot(row.second, place, marker="s", color=BLUE, markersize=5, zorder=4)
    axes.annotate(
        f"{change:+.3f}".replace("-", "−"), (1.0, place), xycoords=("axes fraction", "data"), xytext=(4, 0),
        textcoords="offset points", va="center", fontsize=7.5,
    )  # fmt: skip


def _legend(names: tuple[str, str]) -> list[Line2D]:
    first, second = names
    return [
        Line2D([], [], marker="o", color="none", markerfacecolor="white", markeredgecolor=INK, label=first),
        Line2D([], [], marker="s", color="none", markerfacecolor=BLUE, markeredgecolor=BLUE, label=second),
        Line2D([], [], color=RED, linewidth=2.2, label="lost"),
        Line2D([], [], color=GREEN, linewidth=2.2, label="gained"),
        Line2D([], [], color=INK, linewidth=1.1, marker="|", markersize=4, label="worst to best order of ties"),
    ]
