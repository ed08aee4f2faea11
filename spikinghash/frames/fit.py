"""Frames to the input geometry of a network."""

from __future__ import annotations

import numpy as np


def fit(counts: np.ndarray, height: int, width: int, clip: int) -> np.ndarray:
    """Centre-crop or zero-pad counts [..., H, W] to [..., height, width] and limit them to `clip`; float32.

    Clipping keeps one hot pixel from dominating a layer's input, and bounds the integers the exact sums rely on.
    """
    out = np.zeros((*counts.shape[:-2], height, width), np.float32)
    src, dst = [], []
    for have, want in zip(counts.shape[-2:], (height, width), strict=True):
        n = min(have, want)
        src.append(slice((have - n) // 2, (have - n) // 2 + n))
        dst.append(slice((want - n) // 2, (want - n) // 2 + n))
    np.minimum(counts[..., src[0], src[1]], clip, out=out[..., dst[0], dst[1]], casting="unsafe")
    return out
