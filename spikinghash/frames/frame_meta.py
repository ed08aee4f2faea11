"""How event clips were framed: the description that stores and models carry."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from spikinghash.frames.accumulate import FRAME_TYPES, FrameType
from spikinghash.schema import FRAME_SCHEMA_VERSION, POLARITIES

#: What a description calls P, for other readers.
_NAME_OF_P = "polarities"


@dataclass(frozen=True)
class FrameMeta:
    """Shape and origin of clips [T = steps, 2, H = height, W = width], OFF and ON events.

    `config` holds further settings that shaped the counts (see `Framing.meta`): plain JSON values.
    """

    steps: int
    height: int
    width: int
    dtype: FrameType
    config: Mapping[str, Any] = field(default_factory=dict)
    schema_version: int = FRAME_SCHEMA_VERSION

    def __post_init__(self) -> None:
        sizes = self.shape
        if self.dtype not in FRAME_TYPES or not all(type(size) is int and size > 0 for size in sizes):
            raise ValueError(f"no clips are {sizes} {self.dtype}")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of one clip, [T, 2, H, W]."""
        return self.steps, POLARITIES, self.height, self.width

    @property
    def clip_bytes(self) -> int:
        """Size of one clip without compression."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    @property
    def digest(self) -> str:
        """SHA-256 of everything above, 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        """The form in which stores and models keep it; includes P and the digest for other readers."""
        return json.dumps(asdict(self) | {_NAME_OF_P: POLARITIES, "digest": self.digest}, sort_keys=True)

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
