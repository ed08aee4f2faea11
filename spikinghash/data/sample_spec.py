"""What a sample consists of: its modalities by name, each of one kind, shape and type, and what made them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from spikinghash.frames.accumulate import FRAME_TYPES
from spikinghash.schema import PIXEL_CHANNELS, POLARITIES, STORE_SCHEMA_VERSION

Kind = Literal["events", "image", "features", "tokens"]
#: Per kind: its axes, of which a number must be that number, and the types it may have.
_RULES: dict[Kind, tuple[tuple[int | str, ...], tuple[str, ...]]] = {
    "events": (("T", POLARITIES, "H", "W"), FRAME_TYPES),
    "image": ((PIXEL_CHANNELS, "H", "W"), ("uint8",)),
    "features": (("D",), ("float16", "float32")),
    "tokens": (("L",), ("uint8", "uint16", "int16", "int32", "int64")),
}
#: Columns that every row has; a modality needs a name of its own.
ROW_COLUMNS = ("sample_id", "group", "labels", "split", "origin", "sha256")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class FieldSpec:
    """One modality: events [T, 2, H, W] of uint8, uint16 or float32, an image [3, H, W] of uint8, features [D] of
    float16 or float32, or tokens [L] of an integer type.

    `made_by` says what made it, in plain JSON values. Raises `ValueError` for anything else.
    """

    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no kind of sample is called {self.kind!r}; there are {', '.join(get_args(Kind))}")
        axes, types = _RULES[self.kind]
        fits = len(self.shape) == len(axes) and all(
            type(size) is int and size > 0 and (isinstance(axis, str) or size == axis)
            for size, axis in zip(self.shape, axes, strict=True)
        )
        if not fits or self.dtype not in types:
            wanted = f"[{', '.join(map(str, axes))}] of {', '.join(types)}"
            raise ValueError(f"{self.kind} are {wanted}, not {list(self.shape)} of {self.dtype}")
        if not isinstance(self.made_by, Mapping) or json.loads(json.dumps(self.made_by)) != self.made_by:
            raise ValueError("made_by holds more than plain JSON values")

    @property
    def sample_bytes(self) -> int:
        """Size of one sample without compression."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    @property
    def digest(self) -> str:
        """SHA-256 of everything above, 64 hexadecimal digits."""
        return _digest(self.content())

    def content(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"kind": self.kind, "shape": list(self.shape), "dtype": self.dtype, "made_by": dict(self.made_by)}

    @classmethod
    def of(cls, content: Any) -> FieldSpec:
        """Undo `content`; raises `ValueError` for other keys or values."""
        if not isinstance(content, dict) or set(content) != {"kind", "shape", "dtype", "made_by"}:
            raise ValueError("the description of a modality has wrong keys")
        if not isinstance(content["shape"], list) or not isinstance(content["dtype"], str):
            raise ValueError("the description of a modality has wrong values")
        return cls(**(content | {"shape": tuple(content["shape"])}))


@dataclass(frozen=True)
class SampleSpec:
    """The modalities of a store by name, in the order of their names. Raises `ValueError` for none or a bad name."""

    fields: Mapping[str, FieldSpec]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", dict(sorted(self.fields.items())))
        if not self.fields:
            raise ValueError("samples have at least one modality")
        own = {name: (name, *extra_columns(name)) for name in self.fields}
        taken = Counter([*ROW_COLUMNS, *(column for columns in own.values() for column in columns)])
        for name, columns in own.items():
            if not _NAME.fullmatch(name) or any(taken[column] > 1 for column in columns):
                raise ValueError(f"no modality may be called {name!r}")

    @property
    def sample_bytes(self) -> int:
        """Size of one whole sample without compression."""
        return sum(one.sample_bytes for one in self.fields.values())

    @property
    def digest(self) -> str:
        """SHA-256 of everything above, 64 hexadecimal digits."""
        return _digest(self._content())

    def to_json(self) -> str:
        """The form in which stores keep it, with the digest for other readers."""
        return json.dumps(self._content() | {"digest": self.digest}, sort_keys=True)

    def _content(self) -> dict[str, Any]:
        fields = {name: one.content() for name, one in self.fields.items()}
        return {"schema_version": STORE_SCHEMA_VERSION, "fields": fields}

    @classmethod
    def from_json(cls, text: str | bytes) -> SampleSpec:
        """Undo `to_json`; raises `ValueError` for damage or another schema version."""
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("its description is not a JSON object")
        version = content.get("schema_version")
        if version != STORE_SCHEMA_VERSION:
            raise ValueError(f"schema version {version}, this program reads {STORE_SCHEMA_VERSION}")
        if set(content) != {"schema_version", "fields", "digest"} or not isinstance(content["fields"], dict):
            raise ValueError("its description has wrong keys")
        spec = cls({name: FieldSpec.of(one) for name, one in content["fields"].items()})
        if spec.digest != content["digest"]:
            raise ValueError("its description does not match its digest")
        return spec


def extra_columns(name: str) -> tuple[str, str]:
    """Columns that a store may keep beside the modality `name`: the account of its events, and who has it."""
    return f"{name}_account", f"{name}_present"


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
