"""One bulk job of `spikinghash encode`: the same files for one model after the other, here or on Ray."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_recordings import encode_with
from spikinghash.codes.encode_report import EncodeReport
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.hash_inputs import Hasher, hash_here
from spikinghash.codes.signals import Stop
from spikinghash.events.doubts import Doubts
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.events.options import ReadOptions
from spikinghash.progress import progress_bar


@dataclass(frozen=True)
class EncodeJob:
    """What is hashed and how. `resources` holds what must live until the report is told: workers, a decoder."""

    files: Sequence[Path]
    database: CodeDatabase
    format: str | None
    reading: ReadOptions
    workers: int
    address: str | None
    doubts: Doubts
    stop: Stop
    resources: ExitStack

    def hash(self, encoder: Encoder) -> EncodeReport:
        """Hash with one model what it has not hashed yet; raises `Stopped` where Ray was only starting."""
        # the workers of a model before would keep the cores
        self.resources.close()
        with progress_bar("encode") as progress:
            hasher = self._on_ray(encoder) if self.workers else self._here(encoder)
            return encode_with(hasher, self.files, encoder.model, self.database, progress=progress, stop=self.stop)

    def _here(self, encoder: Encoder) -> Hasher:
        decode = self.doubts.watch(self.resources.enter_context(IsolatedDecoder()).stream)
        return lambda inputs: hash_here(inputs, encoder, decode, self.format, self.stop, self.reading)

    def _on_ray(self, encoder: Encoder) -> Hasher:
        from spikinghash.codes.ray_encode import ray_hasher

        return self.resources.enter_context(
            ray_hasher(
                encoder.model, self.workers, address=self.address, format=self.format, reading=self.reading,
                stop=self.stop,
            )
        )  # fmt: skip
