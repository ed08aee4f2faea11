"""What a file cannot say about itself: how a reader should take it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from spikinghash.errors import ConfigError

#: Address layouts of AEDAT 2.0 files, see `aedat2`.
LAYOUTS = ("dvs128", "davis240", "davis346")
#: Nanoseconds in one unit of a stored time.
TIME_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


@dataclass(frozen=True)
class ReadOptions:
    """How to read one recording; every default means "as the file or its format says".

    `sensor` is (width, height) in pixels of the events that come out; a file that states another one is refused.
    `layout` is one of `LAYOUTS`, `time_unit` one
    of `TIME_UNITS`. Flips act on the axes of the file, then `transpose` swaps them, so CIFAR10-DVS as SpikingJelly
    shows it is `flip_x`, `flip_y` and `transpose`. Raises `ConfigError` for unknown names.
    """

    sensor: tuple[int, int] | None = None
    layout: str | None = None
    flip_x: bool = False
    flip_y: bool = False
    transpose: bool = False
    invert_polarity: bool = False
    time_unit: str | None = None

    def __post_init__(self) -> None:
        """Refuse names that no reader knows."""
        if self.layout is not None and self.layout not in LAYOUTS:
            raise ConfigError(f"unknown address layout {self.layout!r}; known are: {', '.join(LAYOUTS)}")
        if self.time_unit is not None and self.time_unit not in TIME_UNITS:
            raise ConfigError(f"unknown time unit {self.time_unit!r}; known are: {', '.join(TIME_UNITS)}")

    def overridden(self, by: ReadOptions) -> ReadOptions:
        """These options, where `by` does not say otherwise than the defaults."""
        given = {f.name: getattr(by, f.name) for f in fields(by) if getattr(by, f.name) != f.default}
        return replace(self, **given)


DEFAULTS = ReadOptions()
