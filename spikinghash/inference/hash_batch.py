"""Samples of any modalities to bits, each a function of its sample alone."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from spikinghash.data.batch import network_input
from spikinghash.inference.read_bits import read_bits
from spikinghash.methods.bits import Bits
from spikinghash.methods.method import HashingMethod

#: Rows of a product of matrices: sums of a row depend on how many rows there are, and on no other row.
BLOCK = 64


def device_of(method: nn.Module) -> torch.device:
    """Where a method is; one of closed form has buffers alone."""
    return next((x.device for x in (*method.parameters(), *method.buffers())), torch.device("cpu"))


@torch.no_grad()
def hash_batch(method: HashingMethod, inputs: Mapping[str, Tensor]) -> dict[str, Bits]:
    """Inputs by modality as in a `Batch` of B samples -> codes by modality.

    Networks of frames take those of their modality as `read_bits` does. Others get blocks of `BLOCK` samples, filled
    up with zeros, so that a code does not depend on the batch.
    """
    modality = getattr(method, "modality", None)
    if modality is not None:
        return {modality: Bits(*read_bits(method, network_input(inputs[modality])))}
    count = len(next(iter(inputs.values())))
    blocks = [_block(inputs, first) for first in range(0, count, BLOCK)]
    found = [method.hash(block) for block in blocks]
    return {name: Bits(*(torch.cat([one[name][i] for one in found])[:count] for i in range(2))) for name in found[0]}


def _block(inputs: Mapping[str, Tensor], first: int) -> dict[str, Tensor]:
    some = {name: x[first : first + BLOCK] for name, x in inputs.items()}
    return {name: pad(x, (0, 0) * (x.dim() - 1) + (0, BLOCK - len(x))) for name, x in some.items()}
