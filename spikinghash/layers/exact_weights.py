"""Weights on a dyadic grid, so that inference gives the same bits for any batch, order or thread count.

Every sum in the network runs over spikes (0 or 1) or small integers times weights. When all weights of a layer are
multiples of one power of two and the largest possible sum stays below 2^24 of them, float32 addition is exact, and
its order, which libraries choose by shape and thread count, no longer matters.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from spikinghash.layers.hash_layer import SpikingHashLayer
from spikinghash.layers.wavemixer import HighMixer

_MANTISSA_BITS = 24
_HASH_WEIGHT_BITS = 16


def round_weights(model: nn.Module, max_input: int) -> None:
    """Round, in place, every weight that enters a sum. `max_input` bounds the first layer's input in steps of
    its grid: the largest count, or as many times more as a real-valued input has steps in one.

    The relative change is about 2^-20 of a layer's largest sum. Thresholds amplify even that, so training validates a
    rounded copy after each epoch and saves the best of those, never a network that was rounded afterwards.
    """
    first = True
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                bound = max_input if first else 1
                total = module.weight.abs().flatten(1).sum(1).max() * bound
                _snap([module.weight, module.bias], total, _MANTISSA_BITS - 1)
                first = False
            elif isinstance(module, HighMixer):
                for weight in module.channel:
                    _snap([weight], weight.abs().sum(1).max(), _MANTISSA_BITS - 1)
            elif isinstance(module, SpikingHashLayer):
                _snap([module.linear.weight, module.linear.bias], module.linear.weight.abs().max(), _HASH_WEIGHT_BITS)


def _snap(tensors: list[Tensor | None], largest: Tensor, bits: int) -> None:
    present = [t for t in tensors if t is not None]
    peak = max(float(largest), *(float(t.abs().max()) for t in present), 2.0**-60)
    grid = 2.0 ** (math.ceil(math.log2(peak)) + 1 - bits)
    for t in present:
        t.copy_(torch.round(t.double() / grid) * grid)
