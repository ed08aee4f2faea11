"""What a saved model is: everything needed to rebuild the network, as plain values."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from spikinghash.data.described import framing_of, from_text
from spikinghash.data.sample_spec import FieldSpec, Kind
from spikinghash.errors import BadCheckpoint, ConfigError
from spikinghash.events.options import ReadOptions
from spikinghash.frames.crop_or_pad import INPUT_GRID, PIXEL_ZERO, crop_or_pad_pixels, crop_or_pad_stored
from spikinghash.frames.framing import Framing, sensor_of
from spikinghash.schema import PIXEL_CHANNELS, POLARITIES

if TYPE_CHECKING:
    from torch import Tensor


#: Channels of the kinds that have some, and the types of fitted samples.
_CHANNELS: dict[Kind, int] = {"events": POLARITIES, "image": PIXEL_CHANNELS}
_FITTED: dict[Kind, type] = {"events": np.float32, "features": np.float32, "tokens": np.int64}


@dataclass(frozen=True)
class ModelSpec:
    """Geometry and choices of one trained network.

    `frames` is the description of its samples (`data/described.py`), from which new recordings are framed.
    `classes` are the label names in the order of the classifier's outputs. `sensor` (width, height), `steps` and
    `frames_digest` describe the frames it was trained on; `height` and `width` are the network's input after
    cropping or padding, `count_clip` the largest count it sees. `variant` is an ablation by name, "full" is none.
    `steps` is that of the frames, or, where samples have no time or one step, how often the network sees it.
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
        field = self.field
        try:
            meta = framing_of(field)
            return Framing.of(meta), ReadOptions(sensor=sensor_of(meta), **meta.config.get("reading", {}))
        except (ValueError, TypeError, ConfigError) as error:
            raise _no_framing(error) from None

    @property
    def field(self) -> FieldSpec:
        """What a sample is before it is fitted to the network; errors as in `framing`."""
        return _described(self.frames, self.frames_digest)

    @property
    def kind(self) -> Kind:
        """Kind of its samples; a spec without a description takes events."""
        return self.field.kind if self.frames else "events"

    @property
    def modality(self) -> str:
        """Which input of a sample its network takes: it is called as its kind."""
        return self.kind

    @property
    def channels(self) -> int:
        """Channels of its input: 2 polarities of events, 3 of an image; `ConfigError` for what has none."""
        if self.kind not in _CHANNELS:
            raise ConfigError(f"{self.method} takes events or an image, not {self.kind}")
        return _CHANNELS[self.kind]

    @property
    def input_levels(self) -> int:
        """Largest input of the network in steps of its grid, for exact sums (`layers/exact_weights.py`)."""
        if self.kind == "image":
            return PIXEL_ZERO
        real = bool(self.frames) and self.field.dtype == "float32"
        return round(self.count_clip / INPUT_GRID) if real else self.count_clip

    def fit(self, values: np.ndarray) -> np.ndarray:
        """Samples of a store [N, ...] at the network's input: counts and features as float32, pixels as uint8."""
        fitted = self.fit_stored(values)
        return fitted if self.kind == "image" else fitted.astype(_FITTED[self.kind], copy=False)

    def fit_stored(self, values: np.ndarray) -> np.ndarray:
        """As `fit`, in the smallest type: `to_input` of it is `fit`."""
        if self.kind == "image":
            return crop_or_pad_pixels(values, self.height, self.width)
        if self.kind == "events":
            return crop_or_pad_stored(values, self.height, self.width, self.count_clip)
        return values

    def to_input(self, values: Tensor) -> Tensor:
        """Samples of `fit_stored` in the type that the network takes, on their device."""
        if self.kind == "image":
            return values
        return values.long() if self.kind == "tokens" else values.float()

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


@functools.lru_cache(maxsize=32)
def _described(text: str, digest: str) -> FieldSpec:
    try:
        field, known = from_text(text)
    except (ValueError, TypeError, KeyError) as error:
        raise _no_framing(error) from None
    if known != digest:
        raise BadCheckpoint("model.json: spec.frames is not what spec.frames_digest says; copy the model again")
    return field


def _no_framing(error: Exception) -> BadCheckpoint:
    return BadCheckpoint(f"model.json: spec.frames does not say how clips are made ({error})")
