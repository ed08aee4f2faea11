"""Frames to packed codes with one model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from spikinghash.allocator import keep_freed_memory
from spikinghash.codes.packing import pack
from spikinghash.data.batch import to_network
from spikinghash.inference.read_bits import read_bits
from spikinghash.methods.method import HashingMethod
from spikinghash.training.checkpoint import LoadedModel

#: Codes uint8 [N, K/8] and smallest margins float32 [N].
Codes = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Encoder:
    """A loaded model ready to hash; `batch` clips go through the network at once and do not influence each other.

    On CPU `workers` threads (default: one per core) each hash batches of their own on a single core, which avoids the
    waiting of many threads inside every small operation.
    """

    model: LoadedModel
    batch: int = 64
    workers: int | None = None

    def encode(self, counts: np.ndarray) -> Codes:
        """Samples [N, ...] as a store has them -> codes uint8 [N, K/8], smallest margins float32 [N]."""
        blocks = [counts[lo : lo + self.batch] for lo in range(0, len(counts), self.batch)]
        parts = list(self._run(blocks))
        if not parts:
            return np.empty((0, self.model.spec.bits // 8), np.uint8), np.empty(0, np.float32)
        return np.concatenate([codes for codes, _ in parts]), np.concatenate([margins for _, margins in parts])

    def _run(self, blocks: list[np.ndarray]) -> Iterator[Codes]:
        if next(self.model.method.parameters()).device.type != "cpu":
            yield from map(self._block, blocks)
            return
        keep_freed_memory()
        workers = min(self.workers or os.cpu_count() or 1, max(1, len(blocks)))
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from pool.map(self._block, blocks)

    def _block(self, counts: np.ndarray) -> Codes:
        spec = self.model.spec
        method: HashingMethod = self.model.method  # type: ignore[assignment]
        device = next(self.model.method.parameters()).device
        frames = to_network(torch.from_numpy(spec.fit(counts)))
        bits, margin = read_bits(method, frames.to(device))
        return pack(bits.cpu().numpy()), margin.cpu().numpy()
