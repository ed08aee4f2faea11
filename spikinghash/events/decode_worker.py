"""The child process that decodes recordings: `answering` with content in, blocks of columns t, x, y, p out.

A request holds `name`, `format`, `sensor`, `options`, and the memory for formats that are not read in parts:
`whole_limit_bytes`, or `too_large`, why there is none. Answers `{"events", "width", "height", "format"}` are followed
by the raw bytes of t (int64), x, y (uint16) and p (uint8); the last is `{"facts"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikinghash.errors import BadRecording
from spikinghash.events import answering
from spikinghash.events.collect import Pass
from spikinghash.events.content import Content
from spikinghash.events.options import ReadOptions
from spikinghash.events.reader import detect, named, stream
from spikinghash.events.source import Source


def handle(request: dict[str, Any], content: Content, limit: Callable[[int], None]) -> Iterator[answering.Answer]:
    """A pass over the events of a recording's content."""
    source = Source(Path(request["name"]), content)
    chosen = named(request["format"]) if request["format"] else detect(source.head, source.size)
    if chosen.stream is None:
        if request["too_large"] is not None:
            raise BadRecording("memory", request["too_large"])
        limit(request["whole_limit_bytes"])
    sensor = tuple(request["sensor"]) if request["sensor"] else None
    recording = stream(source, format=chosen.name, sensor=sensor, options=_options(request["options"]))
    blocks = Pass(recording.blocks())
    for block in blocks:
        head = {"events": block.count, "width": block.width, "height": block.height, "format": block.format}
        yield head, (block.t, block.x, block.y, block.p)
    yield {"facts": asdict(blocks.facts), "last": True}, ()


def _options(stored: dict[str, Any]) -> ReadOptions:
    sensor = stored.pop("sensor")
    return ReadOptions(sensor=tuple(sensor) if sensor else None, **stored)


def main() -> None:
    """Serve on the pipes this process was started with."""
    answering.main(handle)


if __name__ == "__main__":
    main()
