"""The child process that decodes pictures: `events.answering` with a PNG or JPEG in, pixels uint8 [3, H, W] out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spikinghash.datasets.image_bytes import decode_image
from spikinghash.events import answering


def handle(request: dict[str, Any], content: bytes, limit: Callable[[int], None]) -> answering.Answer:
    """The pixels of one picture, scaled to `size` unless that is null."""
    pixels = decode_image(content, tuple(request["size"]) if request["size"] else None)
    return {"shape": pixels.shape}, (pixels,)


def main() -> None:
    """Serve on the pipes this process was started with."""
    answering.main(handle)


if __name__ == "__main__":
    main()
