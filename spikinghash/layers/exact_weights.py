"""Weights on a dyadic grid, so that inference gives the same bits for any batch, order or thread count.

Every sum in the network runs over spikes (0 or 1) or small integers times weights. When all weights of a layer are
multiples of one power of two and the largest possible sum stays below 2^24 of them, float32 addition is exact, and
its order, which libraries choose by shape and thread count, no longer matters.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from spikinghash.layers.accounts import UNUSED, ExactSum, exact_sums_of


def snap_to_grid(network: nn.Module, max_input: int) -> None:
    """Round, in place, every weight that enters a sum. `max_input` bounds the first convolution's input in steps of its
    grid: the largest count, or as many times more as a real-valued input has steps in one.

    The relative change is about 2^-20 of a layer's largest sum. Thresholds amplify even that, so training validates a
    rounded copy after each epoch and saves the best of those, never a network that was rounded afterwards.
    `ConfigError` for a layer that does not say its sums.
    """
    bound = max_input
    for name, module in network.named_modules():
        if name in UNUSED:
            continue
        for found in exact_sums_of(module, name, bound if isinstance(module, nn.Conv2d) else 1):
            _snap(found)
        bound = 1 if isinstance(module, nn.Conv2d) else bound


@torch.no_grad()
def _snap(found: ExactSum) -> None:
    peak = max(found.largest, *(float(t.abs().max()) for t in found.weights), 2.0**-60)
    grid = 2.0 ** (math.ceil(math.log2(peak)) + 1 - found.bits)
    for t in found.weights:
        t.copy_(torch.round(t.double() / grid) * grid)
