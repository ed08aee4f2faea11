"""What a file states of its sensor against what it is to be read as."""

from __future__ import annotations

from spikinghash.errors import BadRecording

Size = tuple[int, int]


def agreed(given: Size | None, stated: Size | None) -> Size | None:
    """The sensor (width, height) that was given, else the one that the file states, by size or by camera; else None.

    Raises `BadRecording("sensor")` where both are there and differ: it is a recording of another camera, or of a part
    of one, and pixel x=3 is not what pixel x=3 of the given sensor is.
    """
    if given is not None and stated is not None and given != stated:
        sizes = f"the file states a sensor of {stated[0]}x{stated[1]}, {given[0]}x{given[1]} was asked for"
        raise BadRecording("sensor", f"{sizes}; give no size, or what is made for this camera")
    return given or stated
