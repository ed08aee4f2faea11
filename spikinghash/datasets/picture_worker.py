"""The child process that decodes pictures: `events.answering` with a PNG or JPEG in, pixels uint8 [3, H, W] out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from spikinghash.datasets.image_bytes import decode_image
from spikinghash.events import answering
from spikinghash.events.content import Content


def handle(request: dict[str, Any], content: Content, limit: Callable[[int], None]) -> Iterator[answering.Answer]:
    """The pixels of one picture, scaled to `scale_to` unless that is null."""
    pixels = decode_image(content.read(0, content.size), tuple(request["scale_to"]) if request["scale_to"] else None)
    yield {"shape": pixels.shape, "last": True}, (pixels,)


def main() -> None:
    """Serve on the pipes this process was started with."""
    answering.main(handle)


if __name__ == "__main__":
    main()
