"""Options that say how recordings are to be read; the same for every command that reads some."""

from __future__ import annotations

from typing import Annotated

import typer

from spikinghash.events.options import ReadOptions

Layout = Annotated[str | None, typer.Option(help="Address layout of AEDAT 2.0: dvs128, davis240 or davis346.")]
Unit = Annotated[str | None, typer.Option(help="Unit of stored times: ns, us, ms or s.")]
FlipX = Annotated[bool, typer.Option("--flip-x", help="Mirror left and right.")]
FlipY = Annotated[bool, typer.Option("--flip-y", help="Mirror up and down.")]
Transpose = Annotated[bool, typer.Option("--transpose", help="Swap x and y, after the flips.")]
Invert = Annotated[bool, typer.Option("--invert-polarity", help="The file's 1 means OFF.")]


def reading_of(
    layout: str | None, time_unit: str | None, flip_x: bool, flip_y: bool, transpose: bool, invert_polarity: bool
) -> ReadOptions:
    """The options of a command line; `ConfigError` for unknown names."""
    return ReadOptions(None, layout, flip_x, flip_y, transpose, invert_polarity, time_unit)
