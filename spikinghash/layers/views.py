"""The values of a network's parameters and buffers as arrays, kept from step to step: making one anew takes longer than
some kernels.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from torch import Tensor, nn

from spikinghash.layers.fused import parts

#: Arrays by the `id` of their tensor.
Views = dict[int, np.ndarray]

_KEPT: WeakKeyDictionary[nn.Module, tuple[list[int], Views]] = WeakKeyDictionary()


def tensors_of(network: nn.Module) -> list[Tensor]:
    """Its parameters and buffers, those of a shared part more than once."""
    owners = network.__dict__.get("_owners")
    if owners is None:
        # a module keeps its dictionaries for life
        owners = tuple(own for m in parts(network) for own in (m._parameters, m._buffers) if own)
        network.__dict__["_owners"] = owners
    return [tensor for own in owners for tensor in own.values() if tensor is not None]


def views(network: nn.Module) -> Views:
    """Where arrays are kept, empty again as soon as a tensor is another or lies elsewhere."""
    tensors = tensors_of(network)
    places = [*map(id, tensors), *(tensor.data_ptr() for tensor in tensors)]
    kept = _KEPT.get(network)
    if kept is None or kept[0] != places:
        # an array keeps the memory of its tensor, so that no other can come to lie there unseen
        kept = _KEPT[network] = (places, {})
    return kept[1]
