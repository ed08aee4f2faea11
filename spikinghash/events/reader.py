"""One way to read a recording: the table of formats, detection by content, dispatch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events import nmnist
from spikinghash.events.events import Events
from spikinghash.events.foreign import name_foreign, name_headerless
from spikinghash.events.source import MAX_BYTES, Source, open_source


@dataclass(frozen=True)
class Format:
    """A raw format: `looks_like(head, size)` tells it by content, `read(data, sensor)` decodes a whole file."""

    name: str
    looks_like: Callable[[bytes, int], bool]
    read: Callable[[bytes, tuple[int, int] | None], Events]


#: Tried in this order. N-MNIST has no magic number, so it stays last.
FORMATS: tuple[Format, ...] = (Format(nmnist.NAME, nmnist.looks_like, nmnist.read),)


def read_recording(
    path: Path,
    *,
    format: str | None = None,
    sensor: tuple[int, int] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Events:
    """Read one recording, whatever its file is called.

    `format` skips detection; `sensor` is (width, height) in pixels and overrides what the file or format says.
    Raises `BadRecording` for anything wrong with the file, `ConfigError` for an unknown format name.
    """
    return decode(open_source(path, max_bytes=max_bytes), format=format, sensor=sensor)


def decode(source: Source, *, format: str | None = None, sensor: tuple[int, int] | None = None) -> Events:
    """Turn content that was already read into `Events`; arguments and errors as in `read_recording`."""
    chosen = _detect(source) if format is None else _named(format)
    if not source.data:
        raise BadRecording("empty", "the file has no bytes", 0)
    return chosen.read(source.data, sensor)


def _named(name: str) -> Format:
    for candidate in FORMATS:
        if candidate.name == name:
            return candidate
    known = ", ".join(candidate.name for candidate in FORMATS)
    raise ConfigError(f"unknown recording format {name!r}; known are: {known}")


def _detect(source: Source) -> Format:
    head, size = source.head, len(source.data)
    if size == 0:
        raise BadRecording("empty", "the file has no bytes", 0)
    foreign = name_foreign(head, size)
    if foreign is None:
        for candidate in FORMATS:
            if candidate.looks_like(head, size):
                return candidate
        foreign = name_headerless(head, size)
    what, step = foreign or ("no known recording format", "name its format if you know it")
    raise BadRecording("unknown-format", f"the content looks like {what}; {step}", 0)
