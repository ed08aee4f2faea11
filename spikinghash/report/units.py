"""Numbers as people read them."""

from __future__ import annotations

import math

_JOULES = ((1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"), (1e-12, "pJ"))


def count(value: float | None) -> str:
    """A whole number with thousands separators: 12,345."""
    return "–" if value is None or not math.isfinite(value) else f"{value:,.0f}"


def score(value: float | None) -> str:
    """A metric with three decimals: 0.842."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"


def share(value: float | None) -> str:
    """A fraction as per cent, one decimal: 12.3 %."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.1f} %"


def energy(picojoules: float | None) -> str:
    """Three digits and the unit that fits: 1.23 µJ."""
    if picojoules is None or not math.isfinite(picojoules):
        return "–"
    joules = picojoules * 1e-12
    for size, unit in _JOULES:
        if abs(joules) >= size:
            return f"{joules / size:.3g} {unit}" if abs(joules) < 999.5 * size else f"{joules / size:,.0f} {unit}"
    return "0 pJ" if joules == 0 else f"{picojoules:.2g} pJ"


def operations(value: float | None) -> str:
    """A number of operations, short: 950, 12.3 k, 4.56 M, 1.2 G."""
    if value is None or not math.isfinite(value):
        return "–"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}" if abs(value) < 999.5 * size else f"{value / size:,.0f} {unit}"
    return f"{value:.0f}"


def change(value: float | None) -> str:
    """A difference with its sign, three decimals: +0.012, −0.012."""
    return "–" if value is None or not math.isfinite(value) else f"{value:+.3f}".replace("-", "−")


def figure(value: float | None) -> str:
    """Any number with four digits: 12.18, −0.6736, 0.09375."""
    # + 0: a bound of -0 is 0
    return "–" if value is None or not math.isfinite(value) else f"{value + 0:.4g}".replace("-", "−")
