"""Hashing tensors during training: all clips, block by block, in inference mode."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikinghash.inference.read_bits import read_bits
from spikinghash.methods.method import HashingMethod


def read_all_bits(method: nn.Module, frames: Tensor, batch: int) -> Tensor:
    """Frames [N, T, 2, H, W] -> bits uint8 [N, K] on the CPU; the method's mode is put back."""
    hashing: HashingMethod = method  # type: ignore[assignment]
    was_training = method.training
    method.eval()
    device = next(method.parameters()).device
    blocks = (frames[i : i + batch].transpose(0, 1).to(device) for i in range(0, len(frames), batch))
    parts = [read_bits(hashing, block)[0].cpu() for block in blocks]
    method.train(was_training)
    return torch.cat(parts)
