"""What every front end promises."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

from numpy.typing import NDArray

from spikinghash.errors import ConfigError

#: A picture is the bytes of a JPEG or PNG file, a feature float16 or float32 [D].
Raw = str | bytes | NDArray[Any]
Reads = Literal["picture", "text", "feature"]


class FrontEnd(Protocol):
    """A frozen encoder of one kind of input. Same input, same features, whatever else is in the call."""

    name: ClassVar[str]
    reads: ClassVar[Reads]

    def fit(self, raw: Iterable[Raw]) -> Self:
        """One that has learned from training samples what it needs; itself where that is nothing."""
        ...

    def __call__(self, raw: Sequence[Raw]) -> NDArray[Any]:
        """N inputs -> features float32 [N, D] (`picture` alone gives pixels).

        Raises `ConfigError` for input of another kind, `BadRecording` for damage.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Name, version, digest and options as plain JSON values: enough for `rebuild`."""
        ...

    @classmethod
    def rebuild(cls, description: dict[str, Any], folder: Path) -> Self:
        """Undo `describe`; `folder` has the files that a description does not hold, such as weights."""
        ...


def picture_of(raw: Raw, name: str) -> bytes:
    """What a front end called `name` reads of pictures; `ConfigError` for anything else."""
    if not isinstance(raw, bytes):
        raise ConfigError(f"{name} reads the bytes of pictures, nothing else")
    return raw


def text_of(raw: Raw, name: str) -> str:
    """What a front end called `name` reads of texts; `ConfigError` for anything else."""
    if not isinstance(raw, str):
        raise ConfigError(f"{name} reads texts, nothing else")
    return raw


def described(name: str, version: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """The form of a description; its digest, SHA-256 of all the rest, names the features wherever they go."""
    content = {"name": name, "version": version, **options}
    text = json.dumps(content, sort_keys=True)
    return content | {"digest": hashlib.sha256(text.encode()).hexdigest()}
