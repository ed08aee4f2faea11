"""Frames to packed codes with one model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from spikinghash.codes.packing import pack
from spikinghash.frames.fit import fit
from spikinghash.methods.method import HashingMethod
from spikinghash.training.checkpoint import LoadedModel


@dataclass(frozen=True)
class Encoder:
    """A loaded model ready to hash; `batch` clips go through the network at once and do not influence each other."""

    model: LoadedModel
    batch: int = 64

    def encode(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Counts [N, T, 2, H, W] of any integer type -> codes uint8 [N, K/8], smallest margins float32 [N]."""
        spec = self.model.spec
        method: HashingMethod = self.model.method  # type: ignore[assignment]
        device = next(self.model.method.parameters()).device
        codes = np.empty((len(counts), spec.bits // 8), np.uint8)
        margins = np.empty(len(counts), np.float32)
        for lo in range(0, len(counts), self.batch):
            block = fit(counts[lo : lo + self.batch], spec.height, spec.width, spec.count_clip)
            bits, margin = method.read_bits(torch.from_numpy(block).transpose(0, 1).to(device))
            codes[lo : lo + self.batch] = pack(bits.cpu().numpy())
            margins[lo : lo + self.batch] = margin.cpu().numpy()
        return codes, margins
