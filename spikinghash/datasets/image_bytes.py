"""A PNG or JPEG file's bytes to pixels, trusting nothing: two formats, a pixel limit, damage refused in one line."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from spikinghash.errors import BadRecording

#: uint8 [3, H, W], red, green, blue.
Pixels = NDArray[np.uint8]
#: Of one picture, told by its header before anything is unpacked; and bytes of its file.
MAX_PIXELS = 4096 * 4096
MAX_BYTES = 64 * 1024**2

#: A progressive JPEG refines its picture in scans, each of which costs as much time as decoding it all; usual are 10.
MAX_SCANS = 100

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
#: Modes of 8 bits a channel that become RGB without a choice to make; "1" is black and white.
_PLAIN = ("RGB", "L", "1")
_ALPHA = ("RGBA", "LA", "PA")
#: What Pillow's decoders raise on damaged input.
_DAMAGE = (OSError, SyntaxError, ValueError, struct.error, EOFError, LookupError, TypeError, OverflowError)


def decode_image(data: bytes, size: tuple[int, int] | None = None, *, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Pixels uint8 [3, H, W] of one PNG or JPEG as it is stored (an EXIF orientation is not applied).

    Grey becomes RGB, palettes are looked up, transparency is laid over white. `size` (width, height) scales the picture
    until it covers that size and crops the middle; without it, it keeps its own.
    Raises `BadRecording`: empty, unknown-format, expansion (over `max_pixels`), truncated, chunk (otherwise damaged),
    dtype (16 bits, CMYK and other colours that are not 8-bit grey or RGB), count (animated).
    """
    image = _open(data)
    width, height = image.size
    if width * height > max_pixels:
        raise BadRecording("expansion", f"{width}x{height} pixels are more than the limit of {max_pixels}")
    if data.startswith(_JPEG) and _scans(data) > MAX_SCANS:
        raise BadRecording("expansion", f"its pixels are gone over {_scans(data)} times, the limit is {MAX_SCANS}")
    if getattr(image, "n_frames", 1) != 1:
        raise BadRecording("count", "it is animated; give one frame")
    rgb = _to_rgb(image)
    if size is not None and rgb.size != size:
        rgb = ImageOps.fit(rgb, size, method=Image.Resampling.BICUBIC)
    return np.ascontiguousarray(np.asarray(rgb, dtype=np.uint8).transpose(2, 0, 1))


def _open(data: bytes) -> Any:
    """The picture with its header read, nothing unpacked."""
    if not data:
        raise BadRecording("empty", "the picture has no bytes", 0)
    if len(data) > MAX_BYTES:
        raise BadRecording("expansion", f"{len(data)} bytes are more than the limit of {MAX_BYTES}")
    # the classes themselves: `Image.open` would warn of large pictures instead of leaving the limit to us
    kind = PngImageFile if data.startswith(_PNG) else JpegImageFile if data.startswith(_JPEG) else None
    if kind is None:
        raise BadRecording("unknown-format", "the content is neither PNG nor JPEG; convert it", 0)
    try:
        return kind(io.BytesIO(data))
    except _DAMAGE as error:
        raise _damage(error) from None


def _scans(data: bytes) -> int:
    """Starts of scans in a JPEG; inside the coded data FF is always followed by 00."""
    return data.count(b"\xff\xda")


def _to_rgb(image: Any) -> Image.Image:
    try:
        image.load()
        if image.mode in _PLAIN and "transparency" not in image.info:
            return image.convert("RGB")
        if image.mode in (*_PLAIN, *_ALPHA, "P"):
            seen = image.convert("RGBA")
            return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    except _DAMAGE as error:
        raise _damage(error) from None
    except MemoryError:
        raise BadRecording("memory", "no memory to unpack it") from None
    raise BadRecording("dtype", f"its colours are {image.mode}, not 8-bit grey or RGB; convert it")


def _damage(error: Exception) -> BadRecording:
    said = " ".join(str(error).split()) or type(error).__name__
    cut = isinstance(error, EOFError) or "truncated" in said.lower()
    return BadRecording("truncated" if cut else "chunk", f"not decodable: {said}")
