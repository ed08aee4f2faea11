"""How recordings become clips: one frozen value that windows, frames and their digest are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from spikinghash.errors import ConfigError
from spikinghash.frames.accumulate import FRAME_TYPES, FrameType
from spikinghash.frames.frame_meta import FrameMeta
from spikinghash.frames.framing_rules import dtype_misfit, windowing_misfit

Representation = Literal["counts", "binary", "voxel"]
REPRESENTATIONS: tuple[Representation, ...] = ("counts", "binary", "voxel")
Windowing = Literal["recording", "window", "count"]
#: What each windowing cuts a clip's time bins from, as it stands in a store's description.
BINNING: dict[Windowing, str] = {"recording": "recording-span", "window": "time-window", "count": "event-count"}


@dataclass(frozen=True)
class Framing:
    """Everything that shapes clips [T = steps, 2, H, W], apart from the recordings themselves.

    `representation`: `counts` and `binary` are uint8 or uint16, `voxel` is float32 (see `represent`). `windowing`:
    `recording` makes one clip of each, `window` cuts clips of `window_us` every `stride_us` (default: `window_us`, no
    overlap), `count` cuts one every `events_per_clip` events (see `cut`). Clips of fewer than `min_events` are left
    out. `downsample` x `downsample` pixels make one cell of a frame. Raises `ConfigError` for what does not fit
    together, naming the field.
    """

    steps: int
    dtype: FrameType = "uint8"
    representation: Representation = "counts"
    windowing: Windowing = "recording"
    window_us: int | None = None
    stride_us: int | None = None
    events_per_clip: int | None = None
    min_events: int = 1
    downsample: int = 1

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.representation not in REPRESENTATIONS:
            raise ConfigError(f"unknown representation {self.representation!r}; known: {', '.join(REPRESENTATIONS)}")
        if self.windowing not in BINNING:
            raise ConfigError(f"unknown windowing {self.windowing!r}; known: {', '.join(BINNING)}")
        if self.dtype not in FRAME_TYPES:
            raise ConfigError(f"unknown dtype {self.dtype!r}; known: {', '.join(FRAME_TYPES)}")
        for name in ("steps", "min_events", "downsample", "window_us", "stride_us", "events_per_clip"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise ConfigError(f"{name} must be a whole number of at least 1, not {value!r}")
        wrong = dtype_misfit(self.representation, self.dtype) or windowing_misfit(
            self.windowing, self.window_us, self.stride_us, self.events_per_clip, self.min_events
        )
        if wrong is not None:
            raise ConfigError(wrong)
        if self.window_us is not None and self.stride_us is None:
            object.__setattr__(self, "stride_us", self.window_us)

    def meta(self, sensor: tuple[int, int], reading: Mapping[str, Any] | None = None) -> FrameMeta:
        """Description of a store of such clips of a sensor (width, height).

        `reading` says how recordings were turned (see `events.options`). The description, and so its digest, holds
        what shapes a clip and nothing else: neither splits nor seeds nor the file format of the store.
        """
        width, height = (-(-side // self.downsample) for side in sensor)
        shape = {"steps", "dtype"}
        config = {
            name: value
            for name, value in asdict(self).items()
            if name not in shape and value != getattr(_PLAIN, name) and name != "windowing"
        }
        config["binning"] = BINNING[self.windowing]
        if self.downsample > 1:
            config["sensor"] = list(sensor)
        if reading:
            config["reading"] = dict(reading)
        return FrameMeta(steps=self.steps, height=height, width=width, dtype=self.dtype, config=config)

    @classmethod
    def of(cls, meta: FrameMeta) -> Framing:
        """The framing that made a store, from its description; raises `ConfigError` for one of another program."""
        windowing = {binning: name for name, binning in BINNING.items()}.get(meta.config.get("binning", ""))
        rest = {key: value for key, value in meta.config.items() if key not in ("binning", "sensor", "reading")}
        if windowing is None or not set(rest) <= set(asdict(_PLAIN)):
            raise ConfigError(f"frames made as {dict(meta.config)} cannot be made by this program")
        return cls(steps=meta.steps, dtype=meta.dtype, windowing=windowing, **rest)


def sensor_of(meta: FrameMeta) -> tuple[int, int]:
    """(width, height) in pixels of the recordings that a store was made from."""
    width, height = meta.config.get("sensor", (meta.width, meta.height))
    return int(width), int(height)


_PLAIN = Framing(steps=1)
