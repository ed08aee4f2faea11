"""The child process that decodes recordings: `answering` with content in, columns t, x, y, p out as raw bytes.

A request holds `name`, `format`, `sensor`, `options` and `dense_limit_bytes`; t is int64, x and y uint16, p uint8.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spikinghash.events import answering, evt3, evt21
from spikinghash.events.events import Events
from spikinghash.events.options import ReadOptions
from spikinghash.events.reader import decode
from spikinghash.events.source import Source

#: Encodings in which a byte can hold several events.
_DENSE = (evt3, evt21)


def handle(request: dict[str, Any], content: bytes, limit: Callable[[int], None]) -> answering.Answer:
    """The events of a recording's content."""
    source = Source(Path(request["name"]), content)
    if any(request["format"] == one.NAME or one.looks_like(source.head, len(content)) for one in _DENSE):
        limit(request["dense_limit_bytes"])
    sensor = tuple(request["sensor"]) if request["sensor"] else None
    events = decode(source, format=request["format"], sensor=sensor, options=_options(request["options"]))
    return _facts(events), (events.t, events.x, events.y, events.p)


def _options(stored: dict[str, Any]) -> ReadOptions:
    sensor = stored.pop("sensor")
    return ReadOptions(sensor=tuple(sensor) if sensor else None, **stored)


def _facts(events: Events) -> dict[str, Any]:
    return {
        "events": events.count,
        "width": events.width,
        "height": events.height,
        "format": events.format,
        "dropped": dict(events.dropped),
        "reordered": events.reordered,
    }


def main() -> None:
    """Serve on the pipes this process was started with."""
    answering.main(handle)


if __name__ == "__main__":
    main()
