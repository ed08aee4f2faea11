"""Hashing a data set during training: all clips, block by block, in inference mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from spikinghash.data.dataset import SampleDataset
from spikinghash.data.loader import in_order
from spikinghash.methods.bits import Bits
from spikinghash.methods.method import HashingMethod
from spikinghash.training.hash_batch import device_of, hash_batch


def read_all_bits(method: nn.Module, clips: SampleDataset, batch: int) -> dict[str, Tensor]:
    """All clips -> bits uint8 [N, K] on the CPU, by modality; the method's mode is put back.

    Each modality is hashed alone, but by a method that needs them together.
    """
    was_training = method.training
    method.eval()
    device = device_of(method)
    found: dict[str, list[Tensor]] = {}
    for read in in_order(clips, batch):
        for name, code in _codes(method, clips.for_method(read, device).inputs):  # type: ignore[arg-type]
            found.setdefault(name, []).append(code.bits.cpu())
    method.train(was_training)
    return {name: torch.cat(parts) for name, parts in found.items()}


def _codes(method: HashingMethod, inputs: Mapping[str, Tensor]) -> Iterator[tuple[str, Bits]]:
    if method.fuses == "must":
        yield from hash_batch(method, inputs).items()
        return
    for name, x in inputs.items():
        yield from hash_batch(method, {name: x}).items()
