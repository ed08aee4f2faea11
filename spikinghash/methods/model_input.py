"""One input of a network: samples as a store has them, and what the network sees of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spikinghash.data.described import digest_of, framing_of, from_text, to_text
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
#: Keys of `to_json`, and the largest of the numbers among them; 0 where a kind has no such thing.
_NUMBERS = {"height": 65536, "width": 65536, "count_clip": 255}
_KEYS = {"samples", "digest", *_NUMBERS}


@dataclass(frozen=True)
class ModelInput:
    """`field` describes the samples, from which new recordings are framed alike.

    `height` and `width` are what the network sees of event clips and images after cropping or padding, `count_clip` the
    largest event count; all are 0 for kinds that have no such thing.
    """

    field: FieldSpec
    height: int = 0
    width: int = 0
    count_clip: int = 0

    @property
    def kind(self) -> Kind:
        """Kind of the samples."""
        return self.field.kind

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the description, which codes name their samples by."""
        return digest_of(self.field)

    @property
    def channels(self) -> int:
        """2 polarities of events, 3 of an image; `ConfigError` for what has none."""
        if self.kind not in _CHANNELS:
            raise ConfigError(f"takes events or an image, not {self.kind}")
        return _CHANNELS[self.kind]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a sample as the network sees it: that of the store, event clips and images cropped or padded."""
        stored = self.field.shape
        return (*stored[:-2], self.height, self.width) if self.kind in _CHANNELS else stored

    @property
    def steps(self) -> int:
        """T of event clips, 1 for what has no time."""
        return self.field.shape[0] if self.kind == "events" else 1

    @property
    def sensor(self) -> tuple[int, int]:
        """(width, height) of recordings, or of pictures."""
        if self.kind == "events":
            return sensor_of(framing_of(self.field))
        return (self.field.shape[-1], self.field.shape[-2])

    @property
    def levels(self) -> int:
        """Largest input of the network in steps of its grid, for exact sums (`layers/exact_weights.py`)."""
        if self.kind == "image":
            return PIXEL_ZERO
        return round(self.count_clip / INPUT_GRID) if self.field.dtype == "float32" else self.count_clip

    @functools.cached_property
    def framing(self) -> tuple[Framing, ReadOptions]:
        """How recordings become such clips, and how they are to be read; the options hold the sensor.

        Raises `BadCheckpoint` for samples that are no clips of recordings.
        """
        try:
            meta = framing_of(self.field)
            return Framing.of(meta), ReadOptions(sensor=sensor_of(meta), **meta.config.get("reading", {}))
        except (ValueError, TypeError, ConfigError) as error:
            raise _undescribed(error) from None

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
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return {"samples": to_text(self.field), "digest": self.digest, **numbers}

    @classmethod
    def from_json(cls, name: str, data: Any) -> ModelInput:
        """Strict reading of the input called `name`: anything unexpected raises `BadCheckpoint`."""
        if not isinstance(data, dict) or set(data) != _KEYS:
            wrong = ", ".join(sorted(_KEYS ^ set(data))) if isinstance(data, dict) else "it is no object"
            raise BadCheckpoint(f"model.json: spec.inputs.{name} has missing or unknown keys: {wrong}")
        for key in ("samples", "digest"):
            if not isinstance(data[key], str):
                raise BadCheckpoint(f"model.json: spec.inputs.{name}.{key} must be text, not {data[key]!r}")
        field = _described(data["samples"], data["digest"])
        least = {"events": 1, "image": 1}.get(field.kind, 0)
        for key, most in _NUMBERS.items():
            if type(data[key]) is not int or not least <= data[key] <= most * least:
                wanted = f"an integer from 1 to {most}" if least else "0"
                raise BadCheckpoint(f"model.json: spec.inputs.{name}.{key} must be {wanted}, not {data[key]!r}")
        return cls(field, data["height"], data["width"], data["count_clip"])


@functools.lru_cache(maxsize=32)
def _described(text: str, digest: str) -> FieldSpec:
    try:
        field, known = from_text(text)
    except (ValueError, TypeError, KeyError) as error:
        raise _undescribed(error) from None
    if known != digest:
        raise BadCheckpoint("model.json: the description of samples is not what its digest says; copy the model again")
    return field


def _undescribed(error: Exception) -> BadCheckpoint:
    return BadCheckpoint(f"model.json: it does not say how samples are made ({error})")
