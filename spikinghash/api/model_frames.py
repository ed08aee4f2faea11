"""Frames that somebody made, checked before a model hashes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikinghash.errors import ConfigError
from spikinghash.frames.accumulate import Frames
from spikinghash.methods.spec import ModelSpec


def check_frames(item: Any, spec: ModelSpec) -> Frames:
    """Frames [N, T, 2, H, W], or of one clip, or pictures [N, 3, H, W], or one, as an array with N first.

    Raises `ConfigError` for another shape than the model's, for numbers that are not finite, and, where the model
    takes counts, for negative or broken ones: its sums are exact for whole numbers only.
    """
    frames = np.asarray(item)
    shape = spec.input.field.shape
    if frames.ndim == len(shape):
        frames = frames[None]
    if frames.shape[1:] != shape:
        wanted = ", ".join(map(str, shape))
        raise ConfigError(f"frames are {list(np.shape(item))}, the model hashes [N, {wanted}]; make them as its were")
    return frames if spec.input.field.dtype == "float32" and frames.dtype.kind == "f" else whole_counts(frames)


def whole_counts(frames: Frames) -> Frames:
    """Counts of any type as unsigned integers; `ConfigError` for other numbers than 0, 1, 2 ... 65535."""
    if frames.dtype in (np.uint8, np.uint16):
        return frames
    if frames.dtype.kind not in "biuf":
        raise ConfigError(f"frames are {frames.dtype}; give counts as integers, or whole numbers as floats")
    if frames.size == 0:
        return frames.astype(np.uint8)
    if frames.dtype.kind == "f" and not (np.isfinite(frames).all() and (frames == np.trunc(frames)).all()):
        raise ConfigError("frames hold numbers that are not whole; a model of event counts takes 0, 1, 2 and so on")
    low, high = frames.min(), frames.max()
    if low < 0 or high > 65535:
        raise ConfigError(f"frames hold counts from {low} to {high}; they must be from 0 to 65535")
    return frames.astype(np.uint8 if high <= 255 else np.uint16)
