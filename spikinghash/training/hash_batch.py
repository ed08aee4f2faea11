"""Samples of any modalities to bits, each a function of its sample alone."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from spikinghash.data.batch import EVENT_AXES, network_input, sample_count
from spikinghash.inference.read_bits import read_bits
from spikinghash.methods.bits import Bits
from spikinghash.methods.method import HashingMethod
from spikinghash.methods.scored_method import ScoredMethod

#: Rows of a product of matrices: sums of a row depend on how many rows there are, and on no other row.
BLOCK = 64


def device_of(method: nn.Module) -> torch.device:
    """Where a method is; one of closed form has buffers alone."""
    return next((x.device for x in chain(method.parameters(), method.buffers())), torch.device("cpu"))


@torch.no_grad()
def hash_batch(method: HashingMethod, inputs: Mapping[str, Tensor]) -> dict[str, Bits]:
    """Inputs by modality as in a `Batch` of B samples -> codes by modality.

    Networks of frames take those of their modality as `read_bits` does. Others get blocks of `BLOCK` samples, filled
    up with zeros, so that a code does not depend on the batch.
    """
    modality = getattr(method, "modality", None)
    if modality is not None:
        return {modality: Bits(*read_bits(method, network_input(inputs[modality])))}
    count = sample_count(inputs)
    found = [method.hash(block) for block in _blocks(inputs)]
    return {name: Bits(*(torch.cat([one[name][i] for one in found])[:count] for i in range(2))) for name in found[0]}


@torch.no_grad()
def score_batch(method: ScoredMethod, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As `hash_batch` -> the scores [B, K] by modality of which the bits are signs, each of its sample alone too."""
    count = sample_count(inputs)
    found = [method.scores(block) for block in _blocks(inputs)]
    return {name: torch.cat([one[name] for one in found])[:count] for name in found[0]}


def _blocks(inputs: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    axis = {name: 1 if x.dim() == EVENT_AXES else 0 for name, x in inputs.items()}
    firsts = range(0, sample_count(inputs), BLOCK)
    return [{name: _block(x, axis[name], first) for name, x in inputs.items()} for first in firsts]


def _block(x: Tensor, axis: int, first: int) -> Tensor:
    some = x.narrow(axis, first, min(BLOCK, x.shape[axis] - first))
    after = x.dim() - 1 - axis
    return pad(some, (0, 0) * after + (0, BLOCK - some.shape[axis]))
