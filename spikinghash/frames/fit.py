"""Frames to the input geometry of a network."""

from __future__ import annotations

import numpy as np

#: Real-valued input is rounded to this grid; counts are on it anyway. `layers/exact.py` relies on it.
INPUT_GRID = 1 / 16


def fit(counts: np.ndarray, height: int, width: int, clip: int) -> np.ndarray:
    """Centre-crop or zero-pad counts [..., H, W] to [..., height, width] and limit them to `clip`; float32.

    Voxel grids (float) are limited to +-clip and rounded to `INPUT_GRID`. Clipping keeps one hot pixel from dominating
    a layer's input, and bounds the numbers that the exact sums rely on.
    """
    out = np.zeros((*counts.shape[:-2], height, width), np.float32)
    src, dst = [], []
    for have, want in zip(counts.shape[-2:], (height, width), strict=True):
        n = min(have, want)
        src.append(slice((have - n) // 2, (have - n) // 2 + n))
        dst.append(slice((want - n) // 2, (want - n) // 2 + n))
    inside, target = counts[..., src[0], src[1]], out[..., dst[0], dst[1]]
    if np.issubdtype(counts.dtype, np.floating):
        np.clip(np.round(inside / INPUT_GRID) * INPUT_GRID, -clip, clip, out=target)
    else:
        np.minimum(inside, clip, out=target, casting="unsafe")
    return out
