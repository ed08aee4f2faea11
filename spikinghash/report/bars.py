"""Bar charts: balance of bits, firing rates and energy of layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from spikinghash.report.chart import BLUE, GREEN, INK, RED, Chart, draw
from spikinghash.report.documents import LayerEnergy
from spikinghash.report.one_line import one_line
from spikinghash.report.series import Column, Series

#: Beyond this many layers, only those with the largest bars are drawn.
MOST_BARS = 40
_NAME = 30


def bit_balance(bits: Series) -> Chart:
    """Share of ones per bit; a healthy bit is one for about half of the clips, a dead one for none or all."""
    number, ones = bits.numbers("bit"), bits.numbers("ones")
    dead = (ones == 0) | (ones == 1)
    ends = f", from {np.nanmin(ones):.2f} to {np.nanmax(ones):.2f}" if np.isfinite(ones).any() else ""

    def paint(axes: Axes) -> None:
        axes.bar(number, ones - 0.5, bottom=0.5, width=0.8, color=BLUE)
        axes.plot(number[dead], ones[dead], color=RED, marker="x", linestyle="none", clip_on=False)
        axes.axhline(0.5, color=INK, linewidth=0.9)
        axes.grid(visible=False, axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(9, integer=True))
        axes.set(xlabel="bit", ylabel="share of ones", ylim=(0, 1), xlim=(number[0] - 0.8, number[-1] + 0.8))

    alt = f"Share of ones of {len(ones)} bits{ends}."
    return draw("Balance of the bits", alt, paint, (5.3, 2.3))


def firing_rates(rates: Series) -> Chart:
    """Mean spikes per neuron and time step of every layer, in the order of the network."""
    names, values = rates.texts("layer"), rates.numbers("rate")
    colours = [BLUE] * len(names)
    names = [name if value > 0 else f"{name} (silent)" for name, value in zip(names, values, strict=True)]
    return _layers("Firing rates", names, values, colours, unit="spikes per neuron and time step")


def energy_bars(layers: Sequence[LayerEnergy]) -> Chart:
    """Estimated energy per layer, coloured by the kind of operation; a layer with binary input does accumulates."""
    values = np.array([layer.energy_pj for layer in layers])
    colours = [GREEN if _accumulates(layer) else RED for layer in layers]
    scale, unit = next(((s, u) for s, u in ((1e6, "µJ"), (1e3, "nJ")) if values.max() >= s), (1.0, "pJ"))
    legend = {"MACs (real-valued input)": RED, "ACs (spikes)": GREEN}
    names = [layer.name for layer in layers]
    return _layers("Energy per layer", names, values / scale, colours, unit=f"{unit} per clip", legend=legend)


def _accumulates(layer: LayerEnergy) -> bool:
    """Not by `macs`, the dense operations that every layer has; files of older programs lack `spiking`."""
    return layer.acs > 0 if layer.spiking is None else layer.spiking


def _layers(
    title: str,
    names: Sequence[str],
    values: Column,
    colours: Sequence[str],
    *,
    unit: str,
    legend: dict[str, str] | None = None,
) -> Chart:
    known = np.nan_to_num(values, posinf=0)
    kept = np.sort(np.argsort(-known, kind="stable")[:MOST_BARS])
    places = np.arange(len(kept))

    def paint(axes: Axes) -> None:
        axes.barh(places, known[kept], color=[colours[i] for i in kept], height=0.72)
        axes.set_yticks(places, [one_line(names[i], _NAME, keep_end=True) for i in kept])
        axes.set(xlabel=unit, ylim=(len(kept) - 0.4, -0.6))
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        figure = axes.get_figure(root=True)
        if legend and figure is not None:
            handles = [Patch(color=colour, label=name) for name, colour in legend.items()]
            figure.legend(handles=handles, loc="outside lower right", ncols=2)

    alt = f"{title}: {len(kept)} of {len(names)} layers, largest {known.max():.4g} {unit}."
    return draw(title, alt, paint, (5.3, 0.85 + 0.175 * len(kept)))
