"""What a frame store knows about itself and about each clip, whatever file format it uses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from spikinghash.frames.accumulate import FRAME_TYPES, Frames, FrameType
from spikinghash.schema import FRAME_SCHEMA_VERSION


@dataclass(frozen=True)
class FrameMeta:
    """Shape and origin of all clips of a store: counts are [T = steps, P = 2, H = height, W = width].

    `config` holds further settings that shaped the counts (see `Framing.meta`): plain JSON values.
    """

    steps: int
    height: int
    width: int
    dtype: FrameType
    config: Mapping[str, Any] = field(default_factory=dict)
    schema_version: int = FRAME_SCHEMA_VERSION

    def __post_init__(self) -> None:
        sizes = (self.steps, self.height, self.width)
        if self.dtype not in FRAME_TYPES or not all(isinstance(size, int) and size > 0 for size in sizes):
            raise ValueError(f"no frame store has clips of {sizes} {self.dtype}")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of one clip, [T, 2, H, W]."""
        return self.steps, 2, self.height, self.width

    @property
    def clip_bytes(self) -> int:
        """Size of one clip without compression."""
        return self.steps * 2 * self.height * self.width * np.dtype(self.dtype).itemsize

    @property
    def digest(self) -> str:
        """SHA-256 of everything above, 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        """The form in which stores keep it; includes P and the digest for other readers."""
        return json.dumps(asdict(self) | {"polarities": 2, "digest": self.digest}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> FrameMeta:
        """Undo `to_json`; raises `ValueError` for damage or another schema version."""
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("its description is not a JSON object")
        version, digest = content.get("schema_version"), content.pop("digest", None)
        if version != FRAME_SCHEMA_VERSION:
            raise ValueError(f"schema version {version}, this program reads {FRAME_SCHEMA_VERSION}")
        content.pop("polarities", None)
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
        """Counts [<= batch, T, 2, H, W] and rows, in stored order; split None means all."""
        ...

    def load(self, split: str | None) -> Batch:
        """All counts [N, T, 2, H, W] and rows of a split at once."""
        ...
