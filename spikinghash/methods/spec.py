"""What a saved model is: everything needed to rebuild the network, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from spikinghash.errors import BadCheckpoint, ConfigError
from spikinghash.events.options import ReadOptions
from spikinghash.frames.crop_or_pad import INPUT_GRID, PIXEL_ZERO, crop_or_pad, crop_or_pad_pixels, crop_or_pad_stored
from spikinghash.frames.framing import Framing, sensor_of
from spikinghash.frames.schema import FrameMeta
from spikinghash.schema import PIXEL_CHANNELS, POLARITIES

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ModelSpec:
    """Geometry and choices of one trained network.

    `frames` is the description of the frame store (`FrameMeta.to_json`), from which new recordings are framed.
    `classes` are the label names in the order of the classifier's outputs. `sensor` (width, height), `steps` and
    `frames_digest` describe the frames it was trained on; `height` and `width` are the network's input after
    cropping or padding, `count_clip` the largest count it sees. `variant` is an ablation by name, "full" is none.
    `steps` is that of the frames, or, where they have one step, how often the network sees it.
    """

    method: str
    size: str
    bits: int
    classes: tuple[str, ...]
    steps: int
    height: int
    width: int
    sensor: tuple[int, int]
    count_clip: int
    surrogate: str
    frames_digest: str
    frames: str = ""
    variant: str = "full"

    def framing(self) -> tuple[Framing, ReadOptions]:
        """How recordings become clips for this model, and how they are to be read; the options hold the sensor.

        Raises `BadCheckpoint` if the description is missing or not the one of `frames_digest`.
        """
        meta = self.described()
        try:
            return Framing.of(meta), ReadOptions(sensor=sensor_of(meta), **meta.config.get("reading", {}))
        except (ValueError, TypeError, ConfigError) as error:
            raise _no_framing(error) from None

    def described(self) -> FrameMeta:
        """The description of its frames; errors as in `framing`."""
        try:
            meta = FrameMeta.from_json(self.frames)
        except (ValueError, TypeError) as error:
            raise _no_framing(error) from None
        if meta.digest != self.frames_digest:
            raise BadCheckpoint("model.json: spec.frames is not what spec.frames_digest says; copy the model again")
        return meta

    @property
    def channels(self) -> int:
        """Channels of a frame: 2 polarities of events, 3 of a picture's pixels; 2 where the spec has no description."""
        return self.described().channels if self.frames else POLARITIES

    @property
    def modality(self) -> str:
        """Which input of a sample its network takes: "events" or "image"."""
        return "image" if self.channels == PIXEL_CHANNELS else "events"

    @property
    def input_levels(self) -> int:
        """Largest input of the network in steps of its grid, for exact sums (`layers/exact_weights.py`)."""
        if self.channels == PIXEL_CHANNELS:
            return PIXEL_ZERO
        real = bool(self.frames) and self.described().dtype == "float32"
        return round(self.count_clip / INPUT_GRID) if real else self.count_clip

    def fit(self, frames: np.ndarray) -> np.ndarray:
        """Frames of a store [..., P, H, W] at the network's input: event counts as float32, pixels as uint8."""
        if self.channels == PIXEL_CHANNELS:
            return crop_or_pad_pixels(frames, self.height, self.width)
        return crop_or_pad(frames, self.height, self.width, self.count_clip)

    def fit_stored(self, frames: np.ndarray) -> np.ndarray:
        """As `fit`, in the smallest type: `to_input` of it is `fit`."""
        if self.channels == PIXEL_CHANNELS:
            return crop_or_pad_pixels(frames[:, 0], self.height, self.width)
        return crop_or_pad_stored(frames, self.height, self.width, self.count_clip)

    def to_input(self, frames: Tensor) -> Tensor:
        """Frames of `fit_stored` in the type that the network takes, on their device."""
        return frames if self.channels == PIXEL_CHANNELS else frames.float()

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready dictionary."""
        return asdict(self) | {"classes": list(self.classes), "sensor": list(self.sensor)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ModelSpec:
        """Strict reading: unknown, missing or mistyped keys raise `BadCheckpoint`."""
        known = {f.name for f in fields(cls)}
        if set(data) != known:
            wrong = sorted(set(data) ^ known)
            raise BadCheckpoint(f"model.json: spec has missing or unknown keys: {', '.join(wrong)}")
        for name in ("bits", "steps", "height", "width", "count_clip"):
            largest = 255 if name == "count_clip" else 65536
            if type(data[name]) is not int or not 0 < data[name] <= largest:
                raise BadCheckpoint(
                    f"model.json: spec.{name} must be an integer from 1 to {largest}, not {data[name]!r}"
                )
        if data["bits"] % 8:
            raise BadCheckpoint(f"model.json: spec.bits must be a multiple of 8, not {data['bits']}")
        for name in ("method", "size", "surrogate", "frames_digest", "frames", "variant"):
            if not isinstance(data[name], str):
                raise BadCheckpoint(f"model.json: spec.{name} must be text, not {data[name]!r}")
        classes, sensor = data["classes"], data["sensor"]
        if not (isinstance(classes, list) and classes and all(isinstance(c, str) for c in classes)):
            raise BadCheckpoint("model.json: spec.classes must be a list of names")
        if not (isinstance(sensor, list) and len(sensor) == 2 and all(type(n) is int and n > 0 for n in sensor)):
            raise BadCheckpoint("model.json: spec.sensor must be two positive integers")
        return cls(**(data | {"classes": tuple(classes), "sensor": (sensor[0], sensor[1])}))


def _no_framing(error: Exception) -> BadCheckpoint:
    return BadCheckpoint(f"model.json: spec.frames does not say how clips are made ({error})")
