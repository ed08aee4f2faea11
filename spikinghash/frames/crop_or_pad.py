"""Frames to the input geometry of a network."""

from __future__ import annotations

import numpy as np

#: Real-valued input is rounded to this grid; counts are on it anyway. `layers/exact_weights.py` relies on it.
INPUT_GRID = 1 / 16
#: A pixel p enters a network as (p - PIXEL_ZERO) / PIXEL_UNIT: about what subtracting the mean and dividing by the
#: deviation of natural pictures gives (0.47 and 0.25 of the range for CIFAR), on a power-of-two grid from -2 to 2.
PIXEL_ZERO, PIXEL_UNIT = 128, 64


def crop_or_pad(counts: np.ndarray, height: int, width: int, clip: int) -> np.ndarray:
    """Centre-crop or zero-pad counts [..., H, W] to [..., height, width] and limit them to `clip`; float32."""
    return crop_or_pad_stored(counts, height, width, clip).astype(np.float32, copy=False)


def crop_or_pad_stored(counts: np.ndarray, height: int, width: int, clip: int) -> np.ndarray:
    """As `crop_or_pad`, with the same numbers in a smaller type: whole counts as uint8, voxel grids as float32.

    Voxel grids (float) are limited to +-clip and rounded to `INPUT_GRID`. Clipping keeps one hot pixel from dominating
    a layer's input, and bounds the numbers that the exact sums rely on; `clip` is at most 255.
    """
    is_real = np.issubdtype(counts.dtype, np.floating)
    out = np.zeros((*counts.shape[:-2], height, width), np.float32 if is_real else np.uint8)
    inside, target = _common(counts, out)
    if is_real:
        np.clip(np.round(inside / INPUT_GRID) * INPUT_GRID, -clip, clip, out=target)
    else:
        np.minimum(inside, clip, out=target, casting="unsafe")
    return out


def crop_or_pad_pixels(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Centre-crop or pad pixels uint8 [..., H, W] to [..., height, width], the border in mid grey; uint8.

    They stay bytes, a quarter of the memory: the network scales them itself (`layers/input_encoding.py`).
    """
    out = np.full((*pixels.shape[:-2], height, width), PIXEL_ZERO, np.uint8)
    inside, target = _common(pixels, out)
    target[...] = inside
    return out


def _common(source: np.ndarray, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle of `source` and the middle of `out`, [..., h, w] of one size, as views."""
    src, dst = [], []
    for have, want in zip(source.shape[-2:], out.shape[-2:], strict=True):
        n = min(have, want)
        src.append(slice((have - n) // 2, (have - n) // 2 + n))
        dst.append(slice((want - n) // 2, (want - n) // 2 + n))
    return source[..., src[0], src[1]], out[..., dst[0], dst[1]]
