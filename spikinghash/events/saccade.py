"""A still image seen through three small eye movements, the way N-MNIST was recorded.

Orchard et al. 2015 (doi:10.3389/fnins.2015.00437) moved a camera in front of a screen along an isosceles triangle, in
three saccades of 100 ms each. Here the image moves and the sensor stands still, which is the same to the pixels.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SACCADES = 3
SACCADE_US = 100_000
#: Corners of the path in units of its size, (x, y) with y down: top left, bottom middle, top right, and back.
_CORNERS = np.array([[-0.5, -0.5], [0.0, 0.5], [0.5, -0.5], [-0.5, -0.5]])


def saccade_path(frames_per_saccade: int, size_px: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Displacements [F, 2] (x, y) in pixels and their times [F] in microseconds, from 0 to 300,000.

    Each side of the triangle starts and ends at rest (raised cosine), F = 3 * frames_per_saccade + 1.
    """
    phase = np.arange(1, frames_per_saccade + 1) / frames_per_saccade
    way = (1 - np.cos(np.pi * phase)) / 2
    sides = [start + way[:, None] * (end - start) for start, end in pairwise(_CORNERS)]
    steps = np.arange(SACCADES * frames_per_saccade + 1)
    return np.concatenate([_CORNERS[:1], *sides]) * size_px, steps * SACCADE_US // frames_per_saccade


def show_image(
    image: NDArray[np.floating],
    displacement_px: NDArray[np.float64],
    *,
    sensor: tuple[int, int],
    scale: float,
    dark: float,
) -> NDArray[np.float64]:
    """Luminance clip [F, H, W] of an image [h, w] in 0..1 moving across a sensor of (width, height) pixels.

    An image pixel covers `scale` sensor pixels, blended by a cubic B-spline; the image is centred and then displaced
    by `displacement_px` [F, 2]. Luminance is `dark` where the image is 0 or absent, 1 where it is 1.
    """
    width, height = sensor
    rows = _weights(height, image.shape[0], scale, displacement_px[:, 1])
    columns = _weights(width, image.shape[1], scale, displacement_px[:, 0])
    # plain einsum, not a BLAS product: its order of additions does not depend on the machine's threads
    half = np.einsum("fyh,hw->fyw", rows, image.astype(np.float64))
    return dark + (1 - dark) * np.clip(np.einsum("fyw,fxw->fyx", half, columns), 0.0, 1.0)


def _weights(sensor_px: int, image_px: int, scale: float, shift_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of each image pixel in each sensor pixel along one axis, [F, sensor_px, image_px]."""
    centre = (np.arange(sensor_px) - (sensor_px - 1) / 2)[None, :] - shift_px[:, None]
    distance = np.abs(centre[:, :, None] / scale + (image_px - 1) / 2 - np.arange(image_px))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    weights: NDArray[np.float64] = np.where(distance < 1, near, far)
    return weights
