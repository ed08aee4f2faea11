"""Hashing a data set during training: all clips, block by block, in inference mode."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikinghash.data.dataset import SampleDataset
from spikinghash.data.loader import in_order
from spikinghash.inference.read_bits import read_bits
from spikinghash.methods.method import HashingMethod


def read_all_bits(method: nn.Module, clips: SampleDataset, batch: int) -> Tensor:
    """All clips -> bits uint8 [N, K] on the CPU; the method's mode is put back."""
    hashing: HashingMethod = method  # type: ignore[assignment]
    was_training = method.training
    method.eval()
    device = next(method.parameters()).device
    batches = (clips.for_method(read, device) for read in in_order(clips, batch))
    parts = [read_bits(hashing, hashing.network_input(one))[0].cpu() for one in batches]
    method.train(was_training)
    return torch.cat(parts)
