"""What a frame store knows about itself and about each clip, whatever file format it uses."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from spikinghash.frames.accumulate import FRAME_TYPES, Frames, FrameType
from spikinghash.schema import FRAME_SCHEMA_VERSION, PIXEL_CHANNELS, POLARITIES

#: What a store's description calls P, for other readers.
_NAME_OF_P = "polarities"


@dataclass(frozen=True)
class FrameMeta:
    """Shape and origin of all clips of a store: counts are [T = steps, P = channels, H = height, W = width].

    `channels` is 2 for the polarities of events and 3 for the pixels of a picture, which is a clip of one step.
    `config` holds further settings that shaped the counts (see `Framing.meta`): plain JSON values.
    """

    steps: int
    height: int
    width: int
    dtype: FrameType
    config: Mapping[str, Any] = field(default_factory=dict)
    schema_version: int = FRAME_SCHEMA_VERSION
    channels: int = POLARITIES

    def __post_init__(self) -> None:
        sizes = self.shape
        if self.dtype not in FRAME_TYPES or not all(type(size) is int and size > 0 for size in sizes):
            raise ValueError(f"no frame store has clips of {sizes} {self.dtype}")
        if self.channels not in (POLARITIES, PIXEL_CHANNELS) or (self.is_picture and self.dtype != "uint8"):
            raise ValueError(f"no frame store has clips of {self.channels} channels of {self.dtype}")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of one clip, [T, P, H, W]."""
        return self.steps, self.channels, self.height, self.width

    @property
    def is_picture(self) -> bool:
        """Whether clips are pixels 0..255 instead of events."""
        return self.channels == PIXEL_CHANNELS

    @property
    def clip_bytes(self) -> int:
        """Size of one clip without compression."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    @property
    def digest(self) -> str:
        """SHA-256 of everything above, 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(self._content(), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        """The form in which stores keep it; includes P and the digest for other readers."""
        return json.dumps(self._content() | {_NAME_OF_P: self.channels, "digest": self.digest}, sort_keys=True)

    def _content(self) -> dict[str, Any]:
        """As a dictionary; the channels of events go without saying: older stores and models keep their digest."""
        content = asdict(self)
        if self.channels == POLARITIES:
            del content["channels"]
        return content

    @classmethod
    def from_json(cls, text: str | bytes) -> FrameMeta:
        """Undo `to_json`; raises `ValueError` for damage or another schema version."""
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("its description is not a JSON object")
        version, digest = content.get("schema_version"), content.pop("digest", None)
        if version != FRAME_SCHEMA_VERSION:
            raise ValueError(f"schema version {version}, this program reads {FRAME_SCHEMA_VERSION}")
        content.pop(_NAME_OF_P, None)
        try:
            meta = cls(**content)
        except TypeError as error:
            raise ValueError(f"its description has wrong keys: {error}") from error
        if meta.digest != digest:
            raise ValueError("its description does not match its digest")
        return meta


@dataclass(frozen=True)
class ClipRow:
    """One clip without its counts.

    `start_us` and `end_us` are inclusive; `sha256` is the digest of the recording's file.
    Law: `events_in == events_framed + sum(dropped.values())`.
    """

    clip_id: str
    recording_id: str
    label: str | None
    split: str
    start_us: int
    end_us: int
    events_in: int
    events_framed: int
    dropped: Mapping[str, int]
    sha256: str


Batch = tuple[Frames, list[ClipRow]]


class FrameSource(Protocol):
    """What training and encoding need from a frame store. `FrameStore` is one, whatever its file format."""

    @property
    def meta(self) -> FrameMeta:
        """Shape and origin of all clips."""
        ...

    @property
    def classes(self) -> list[str]:
        """Sorted names of all labels."""
        ...

    def iter_batches(self, split: str | None, batch: int) -> Iterator[Batch]:
        """Counts [<= batch, T, P, H, W] and rows, in stored order; split None means all."""
        ...

    def load(self, split: str | None) -> Batch:
        """All counts [N, T, P, H, W] and rows of a split at once."""
        ...
