"""Frames to packed codes with one model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from spikinghash.allocator import keep_freed_memory
from spikinghash.codes.packing import pack
from spikinghash.data.batch import time_first
from spikinghash.errors import ConfigError
from spikinghash.methods.method import HashingMethod
from spikinghash.methods.scored_method import ScoredMethod
from spikinghash.training.checkpoint import LoadedModel
from spikinghash.training.hash_batch import device_of, hash_batch, score_batch

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
        """Samples [N, ...] as a store has them -> codes uint8 [N, K/8], smallest margins float32 [N]; for models of one
        input.
        """
        name = self.model.spec.modality
        return self.encode_together({name: counts})[name]

    def encode_together(self, samples: Mapping[str, np.ndarray]) -> dict[str, Codes]:
        """Some modalities of N samples as a store has them -> codes by modality, made of those that are given."""
        count = len(next(iter(samples.values())))
        starts = range(0, count, self.batch)
        parts = list(self._run([{k: x[lo : lo + self.batch] for k, x in samples.items()} for lo in starts]))
        if not parts:
            none = np.empty((0, self.model.spec.bits // 8), np.uint8), np.empty(0, np.float32)
            return dict.fromkeys(samples, none)
        return {k: _joined([part[k] for part in parts]) for k in parts[0]}

    def scores(self, samples: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """As `encode_together` -> real scores float32 [N, K] by modality, whose signs are the bits.

        `ConfigError` for a method that decides its bits in another way.
        """
        method = self.model.method
        if not isinstance(method, ScoredMethod):
            raise ConfigError(f"codes of {self.model.spec.method} have no real scores; leave rescoring out")
        return {k: x.float().cpu().numpy() for k, x in score_batch(method, self._inputs(samples)).items()}

    def _run(self, blocks: list[dict[str, np.ndarray]]) -> Iterator[dict[str, Codes]]:
        if self._device.type != "cpu":
            yield from map(self._block, blocks)
            return
        keep_freed_memory()
        workers = min(self.workers or os.cpu_count() or 1, max(1, len(blocks)))
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from pool.map(self._block, blocks)

    def _block(self, samples: dict[str, np.ndarray]) -> dict[str, Codes]:
        method: HashingMethod = self.model.method  # type: ignore[assignment]
        found = hash_batch(method, self._inputs(samples))
        return {k: (pack(code.bits.cpu().numpy()), code.margin.cpu().numpy()) for k, code in found.items()}

    def _inputs(self, samples: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
        takes = self.model.spec.inputs
        return {k: time_first(torch.from_numpy(takes[k].fit(x))).to(self._device) for k, x in samples.items()}

    @property
    def _device(self) -> torch.device:
        return device_of(self.model.method)


def _joined(parts: list[Codes]) -> Codes:
    return np.concatenate([codes for codes, _ in parts]), np.concatenate([margins for _, margins in parts])
