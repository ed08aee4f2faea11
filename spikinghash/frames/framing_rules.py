"""Which settings of a framing fit together: said once, for the parameters of the pipeline and for the library."""

from __future__ import annotations

#: The windowing that a setting is for, and whether that windowing needs it.
_BELONGS = {"window_us": ("window", True), "stride_us": ("window", False), "events_per_clip": ("count", True)}


def dtype_misfit(representation: str, dtype: str) -> str | None:
    """Why frames of a representation cannot have a dtype, or None."""
    if (dtype == "float32") == (representation == "voxel"):
        return None
    return f"{representation} frames cannot be {dtype!r}; counts and binary are uint8 or uint16, voxel is float32"


def windowing_misfit(
    windowing: str, window_us: int | None, stride_us: int | None, events_per_clip: int | None, min_events: int
) -> str | None:
    """What does not fit together, naming the field, or None; see `Framing`."""
    given = {"window_us": window_us, "stride_us": stride_us, "events_per_clip": events_per_clip}
    for name, (home, needed) in _BELONGS.items():
        if given[name] is not None and windowing != home:
            return f"{name} is for windowing {home!r}, not {windowing!r}; leave it out, in params.yaml set it to null"
        if needed and given[name] is None and windowing == home:
            return f"windowing {home!r} needs {name}"
    if events_per_clip is not None and min_events > events_per_clip:
        return f"no clip of {events_per_clip} events has min_events = {min_events}"
    return None
