"""Haar transform with a neuron between the axes (paper eqs. 7-8) in plain torch, on any device and axes.

Arrays are channel last. Along one axis the pairs (2n, 2n+1) become low = (a + b) / sqrt 2 and high = (a - b) / sqrt 2.
The transform is orthogonal, so the gradient of either direction is the other one. Bands are ordered (t, h, w), low
first: LLL, LLH, LHL, ..., HHH.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

_R = 1.0 / math.sqrt(2.0)
#: Axes of [T, S, B, H, W, C] that a level halves: the paper's three, or space alone (table XI's 2D-SWM).
TEMPORAL, SPATIAL = (0, 3, 4), (3, 4)

Map = Callable[[Tensor], Tensor]


def identity(x: Tensor) -> Tensor:
    """No neuron: with it the inverse transform reconstructs perfectly."""
    return x


def dwt(x: Tensor, axes: tuple[int, ...], neuron: Map = identity) -> Tensor:
    """One level along `axes`, each even, with `neuron` after each but the last (eq. 8).

    x [T, B, H, W, C] -> [T', S, B, H', W', C], S = 2^axes bands.
    """
    y = x[:, None]
    for i, axis in enumerate(axes):
        a, b = (neuron(y) if i else y).unflatten(axis, (-1, 2)).unbind(axis + 1)
        y = (torch.stack((a + b, a - b), 2) * _R).flatten(1, 2)
    return y


def idwt(bands: Tensor, axes: tuple[int, ...], neuron: Map = identity) -> Tensor:
    """Inverse of `dwt`, the axes backwards: [T', S, B, H', W', C] -> [T, B, H, W, C].

    Exact only with `identity`; where to put the neurons in the inverse is a reconstruction, the paper is silent.
    """
    y = bands
    for i, axis in enumerate(reversed(axes)):
        low, high = (neuron(y) if i else y).unflatten(1, (-1, 2)).unbind(2)
        y = (torch.stack((low + high, low - high), axis + 1) * _R).flatten(axis, axis + 1)
    return y[:, 0]
