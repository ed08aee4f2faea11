"""Two-dimensional Haar transform with a spiking neuron between the axes: time is left alone (table XI's 2D-SWM).

Channel last like `haar.py`, whose one-axis passes it uses.
"""

from __future__ import annotations

from torch import Tensor

from spikinghash.layers.haar import Neuron, analyse_axis, identity, synthesise_axis

#: Band order for axes (H, W), the low band in front.
BANDS_2D = ("LL", "LH", "HL", "HH")


def dwt2(x: Tensor, neuron: Neuron = identity) -> Tensor:
    """One level along H, W with `neuron` after the first axis. [T, B, H, W, C] -> [T, 4, B, H/2, W/2, C]."""
    T, B, H, W, C = x.shape
    y = neuron(analyse_axis(x, 2).reshape(T, 2 * B, H // 2, W, C))
    y = analyse_axis(y, 3).reshape(T, 2, 2, B, H // 2, W // 2, C)
    # stacked as (w, h); the published order is (h, w)
    return y.transpose(1, 2).reshape(T, 4, B, H // 2, W // 2, C)


def idwt2(bands: Tensor, neuron: Neuron = identity) -> Tensor:
    """Inverse of `dwt2`: W, then H, `neuron` in between. [T, 4, B, H/2, W/2, C] -> [T, B, H, W, C]."""
    T, _, B, H2, W2, C = bands.shape
    y = bands.reshape(T, 2, 2, B, H2, W2, C).transpose(1, 2)
    y = neuron(synthesise_axis(y.reshape(T, 2, 2 * B, H2, W2, C), 3))
    return synthesise_axis(y.reshape(T, 2, B, H2, 2 * W2, C), 2)
