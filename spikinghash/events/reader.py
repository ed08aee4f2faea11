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
from spikinghash.events.collect import Stream, collect, in_parts
from spikinghash.events.content import BLOCK_BYTES, Content
from spikinghash.events.events import Blocks, Events, EventStream
from spikinghash.events.foreign import name_foreign
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.orient import in_file_axes, orient_blocks
from spikinghash.events.source import MAX_BYTES, Source, open_source, refuse_large


@dataclass(frozen=True)
class Format:
    """A raw format: `looks_like(head, size)` tells it by content, `read(data, options)` decodes a whole file.

    Formats without a `magic` number are tried last, after everything that can be told for sure. `stream(content,
    options, block_bytes)` is a pass over recordings of any length, for formats that can be read in parts.
    """

    name: str
    looks_like: Callable[[bytes, int], bool]
    read: Callable[[bytes, ReadOptions], Events]
    magic: bool = True
    stream: Stream | None = None

    def blocks(self, content: Content, options: ReadOptions, block_bytes: int) -> Blocks:
        """A pass; where only all of a file can be read, that is done first."""
        if self.stream is not None:
            return self.stream(content, options, block_bytes)
        # an event takes a few bytes in any of them
        return in_parts(self.read(content.read(0, content.size), options), block_bytes)


#: Tried in this order.
FORMATS: tuple[Format, ...] = (
    Format(aedat2.NAME, aedat2.looks_like, aedat2.read),
    Format(aedat3.NAME, aedat3.looks_like, aedat3.read),
    Format(aedat4.NAME, aedat4.looks_like, aedat4.read, stream=aedat4.stream),
    Format(evt2.NAME, evt2.looks_like, evt2.read, stream=evt2.stream),
    Format(evt21.NAME, evt21.looks_like, evt21.read, stream=evt21.stream),
    Format(evt3.NAME, evt3.looks_like, evt3.read, stream=evt3.stream),
    Format(dat.NAME, dat.looks_like, dat.read, stream=dat.stream),
    Format(es.NAME, es.looks_like, es.read),
    Format(npy.NAME, npy.looks_like, npy.read),
    Format(npz.NAME, npz.looks_like, npz.read),
    Format(mat.NAME, mat.looks_like, mat.read),
    Format(hdf5.NAME, hdf5.looks_like, hdf5.read),
    Format(csv_table.NAME, csv_table.looks_like, csv_table.read),
    Format(atis_dat.NAME, atis_dat.looks_like, atis_dat.read, magic=False, stream=atis_dat.stream),
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
    """Turn content that was already opened into `Events`; arguments and errors as in `read_recording`.

    What is too large for memory is refused (memory).
    """
    refuse_large(source.size)
    # one block is as large as the file, which spares putting blocks together
    return collect(stream(source, format=format, sensor=sensor, options=options, block_bytes=source.size).blocks())


def stream(
    source: Source,
    *,
    format: str | None = None,
    sensor: tuple[int, int] | None = None,
    options: ReadOptions = DEFAULTS,
    block_bytes: int = BLOCK_BYTES,
) -> EventStream:
    """The same in blocks out of about `block_bytes` of content; errors of the content come with a pass."""
    chosen = detect(source.head, source.size) if format is None else named(format)
    if not source.size:
        raise BadRecording("empty", "the file has no bytes", 0)
    if sensor is not None:
        options = replace(options, sensor=sensor)
    return _Recorded(source, chosen, options, block_bytes)


@dataclass(frozen=True)
class _Recorded:
    """An `EventStream` of a file's content."""

    source: Source
    format: Format
    options: ReadOptions
    block_bytes: int

    def blocks(self) -> Blocks:
        """As `EventStream.blocks`."""
        read = self.format.blocks(self.source.content, in_file_axes(self.options), self.block_bytes)
        return orient_blocks(read, self.options)


def named(name: str) -> Format:
    """The format called so; raises `ConfigError`."""
    for candidate in FORMATS:
        if candidate.name == name:
            return candidate
    known = ", ".join(candidate.name for candidate in FORMATS)
    raise ConfigError(f"unknown recording format {name!r}; known are: {known}")


def detect(head: bytes, size: int) -> Format:
    """The format of a content of `size` bytes that begins with `head`; raises `BadRecording`: empty, unknown-format."""
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
