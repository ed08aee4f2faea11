"""One small picture of numbers: the style all charts share, and its way into a page."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Okabe and Ito's blue, vermillion, green and a grey: told apart with any common colour blindness, and in print.
BLUE, RED, GREEN, GREY = "#0072b2", "#d55e00", "#007a5e", "#8a9099"
INK = "#1a1a1a"

# the salt and the absent metadata make the same numbers give the same bytes
_STYLE: Any = {
    "svg.hashsalt": "spikinghash",
    "svg.fonttype": "path",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9aa0a6",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e6e8eb",
    "grid.linewidth": 0.7,
    "xtick.color": "#4a4f55",
    "ytick.color": "#4a4f55",
    "legend.frameon": False,
    "figure.facecolor": "white",
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(frozen=True)
class Chart:
    """A picture as data: URI, `width` in CSS pixels, and what it shows for those who cannot see it."""

    title: str
    alt: str
    uri: str
    width: int


def draw(title: str, alt: str, paint: Callable[[Axes], None], size: tuple[float, float] = (4.4, 2.9)) -> Chart:
    """Let `paint` draw on axes of `size` inches and return the result as SVG."""
    content = svg(title, paint, size)
    # shown larger than drawn, so that a phone, which shrinks it, still shows readable letters
    return Chart(title, alt, data_uri("image/svg+xml", content), round(size[0] * 96 * 1.2))


def svg(title: str, paint: Callable[[Axes], None], size: tuple[float, float]) -> bytes:
    """What `paint` draws on axes of `size` inches; the same numbers give the same bytes."""
    out = io.BytesIO()
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # a label in a script the font lacks is drawn as boxes; the page has it as text as well
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(title)
        paint(axes)
        figure.savefig(out, format="svg", metadata=_NO_METADATA)
    return out.getvalue()


def data_uri(kind: str, data: bytes) -> str:
    """`data` inside an address, so that the page needs no other file."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
