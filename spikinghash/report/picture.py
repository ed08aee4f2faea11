"""Event counts to still pictures."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spikinghash.report.palette import LEVELS, Ground, palette
from spikinghash.schema import PIXEL_CHANNELS

Numbers = NDArray[np.integer]
Indices = NDArray[np.uint8]

#: Share of pixels with events that may be brighter than the brightest colour; keeps hot pixels from hiding the rest.
CONTRAST = 99.0


def contrast_limit(counts: Numbers) -> int:
    """The count that gets the full colour: the 99th percentile of all positive counts, at least 1."""
    some = counts[counts > 0]
    return max(1, int(np.percentile(some, CONTRAST, method="higher"))) if some.size else 1


def colour_indices(counts: Numbers, *, power: float = 0.5) -> Indices:
    """Counts [T, 2, H, W] to indices uint8 [T, H, W] of `palette`, one contrast for the whole clip.

    Colour grows with a power of the count; the square root keeps single events visible. A pixel has the ground's
    colour exactly when it has no event. Raises `ValueError` for another shape.
    """
    _check(counts)
    most = contrast_limit(counts)
    levels = np.ceil((LEVELS - 1) * (np.minimum(counts, most) / most) ** power).astype(np.uint8)
    return levels[:, 1] * np.uint8(LEVELS) + levels[:, 0]


def fit_side(counts: Numbers, side: int) -> Numbers:
    """Add up square blocks of pixels until height and width are at most `side`; counts [T, 2, H, W] to int64 or same.

    No event is lost: rows and columns beyond the last whole block are padded with zeros.
    """
    _check(counts)
    block = -(-max(counts.shape[2:]) // side)
    if block <= 1:
        return counts
    rest = [(-size) % block for size in counts.shape[2:]]
    full = np.pad(counts.astype(np.int64), ((0, 0), (0, 0), (0, rest[0]), (0, rest[1])))
    T, P, H, W = full.shape
    return full.reshape(T, P, H // block, block, W // block, block).sum(axis=(3, 5))


def upscale(picture: Indices, factor: int) -> Indices:
    """Nearest neighbour: every pixel of [..., H, W] becomes a factor x factor block."""
    return picture.repeat(factor, axis=-2).repeat(factor, axis=-1)


def factor_for(counts: Numbers, side: int) -> int:
    """The largest whole factor that keeps the longer side of [..., H, W] within `side` pixels, at least 1."""
    return max(1, side // max(counts.shape[-2:]))


def to_rgb(counts: Numbers, *, ground: Ground = "light", factor: int = 1) -> NDArray[np.uint8]:
    """All events of a clip [T, 2, H, W] as one picture uint8 [H * factor, W * factor, 3]."""
    _check(counts)
    whole = counts.sum(axis=0, dtype=np.int64, keepdims=True)
    # many steps on top of each other: by the square root, all but noise would be saturated
    return palette(ground)[upscale(colour_indices(whole, power=1)[0], factor)]


def clip_png(counts: Numbers, *, side: int = 256, ground: Ground = "light") -> bytes:
    """All events of a clip [T, 2, H, W] as a PNG, its longer side at most `side` pixels, scaled by whole factors."""
    fitted = fit_side(counts, side)
    return encode_png(to_rgb(fitted, ground=ground, factor=factor_for(fitted, side)))


def is_picture(counts: Numbers) -> bool:
    """Whether a clip is a picture's pixels [3, H, W] instead of events."""
    return counts.ndim == 3 and len(counts) == PIXEL_CHANNELS


def pixels_rgb(clip: Numbers, side: int) -> NDArray[np.uint8]:
    """A picture [3, H, W] as uint8 [h, w, 3], its longer side at most `side`: small ones by whole factors."""
    rgb = np.ascontiguousarray(clip.transpose(1, 2, 0), dtype=np.uint8)
    if max(rgb.shape[:2]) <= side:
        factor = factor_for(clip, side)
        return rgb.repeat(factor, axis=0).repeat(factor, axis=1)
    image = Image.fromarray(rgb)
    image.thumbnail((side, side))
    return np.asarray(image)


def encode_png(rgb: NDArray[np.uint8]) -> bytes:
    """PNG of uint8 [H, W, 3]; the same pixels give the same bytes."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, format="PNG", optimize=True)
    return out.getvalue()


def encode_still_gif(rgb: NDArray[np.uint8]) -> bytes:
    """GIF of uint8 [H, W, 3] in the 256 colours that suit it best."""
    out = io.BytesIO()
    Image.fromarray(rgb).quantize(256).save(out, format="GIF")
    return out.getvalue()


def _check(counts: Numbers) -> None:
    if counts.ndim != 4 or counts.shape[1] != 2 or 0 in counts.shape:
        raise ValueError(f"a clip has counts [T, 2, H, W], not {list(counts.shape)}")
