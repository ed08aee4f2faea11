"""One way to read a recording: the table of formats, detection by content, dispatch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events import (
    aedat2,
    aedat3,
    aedat4,
    atis_dat,
    csv_table,
    dat,
    es,
    evt2,
    evt3,
    evt21,
    hdf5,
    mat,
    nmnist,
    npy,
    npz,
)
from spikinghash.events.events import Events
from spikinghash.events.foreign import name_foreign
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.orient import in_file_axes, orient
from spikinghash.events.source import MAX_BYTES, Source, open_source


@dataclass(frozen=True)
class Format:
    """A raw format: `looks_like(head, size)` tells it by content, `read(data, options)` decodes a whole file.

    Formats without a `magic` number are tried last, after everything that can be told for sure.
    """

    name: str
    looks_like: Callable[[bytes, int], bool]
    read: Callable[[bytes, ReadOptions], Events]
    magic: bool = True


#: Tried in this order.
FORMATS: tuple[Format, ...] = (
    Format(aedat2.NAME, aedat2.looks_like, aedat2.read),
    Format(aedat3.NAME, aedat3.looks_like, aedat3.read),
    Format(aedat4.NAME, aedat4.looks_like, aedat4.read),
    Format(evt2.NAME, evt2.looks_like, evt2.read),
    Format(evt21.NAME, evt21.looks_like, evt21.read),
    Format(evt3.NAME, evt3.looks_like, evt3.read),
    Format(dat.NAME, dat.looks_like, dat.read),
    Format(es.NAME, es.looks_like, es.read),
    Format(npy.NAME, npy.looks_like, npy.read),
    Format(npz.NAME, npz.looks_like, npz.read),
    Format(mat.NAME, mat.looks_like, mat.read),
    Format(hdf5.NAME, hdf5.looks_like, hdf5.read),
    Format(csv_table.NAME, csv_table.looks_like, csv_table.read),
    Format(atis_dat.NAME, atis_dat.looks_like, atis_dat.read, magic=False),
    Format(nmnist.NAME, nmnist.looks_like, nmnist.read, magic=False),
)


def read_recording(
    path: str | Path,
    *,
    format: str | None = None,
    sensor: tuple[int, int] | None = None,
    options: ReadOptions = DEFAULTS,
    max_bytes: int = MAX_BYTES,
) -> Events:
    """Read one recording, whatever its file is called.

    `format` skips detection; `sensor` is (width, height) in pixels and overrides what the format or `options` says, but
    never what the file states; `options` tells what files cannot. Times stay as in the file, in microseconds.
    Raises `BadRecording` for anything wrong with the file, `ConfigError` for an unknown format name.
    """
    return decode(open_source(Path(path), max_bytes=max_bytes), format=format, sensor=sensor, options=options)


def decode(
    source: Source,
    *,
    format: str | None = None,
    sensor: tuple[int, int] | None = None,
    options: ReadOptions = DEFAULTS,
) -> Events:
    """Turn content that was already read into `Events`; arguments and errors as in `read_recording`."""
    chosen = _detect(source) if format is None else _named(format)
    if not source.data:
        raise BadRecording("empty", "the file has no bytes", 0)
    if sensor is not None:
        options = replace(options, sensor=sensor)
    return orient(chosen.read(source.data, in_file_axes(options)), options)


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
    sure = [candidate for candidate in FORMATS if candidate.magic]
    likely = [candidate for candidate in FORMATS if not candidate.magic]
    foreign = None
    for candidate in (*sure, None, *likely):
        if candidate is None:
            foreign = name_foreign(head, size)
            if foreign is not None:
                break
        elif candidate.looks_like(head, size):
            return candidate
    what, step = foreign or ("no known recording format", "name its format if you know it")
    raise BadRecording("unknown-format", f"the content looks like {what}; {step}", 0)
