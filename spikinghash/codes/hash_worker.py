"""What one worker of a bulk job on Ray does; knows nothing of Ray."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from spikinghash.codes.encoder import Encoder
from spikinghash.codes.hash_inputs import Hashed, hash_here
from spikinghash.codes.inputs import Opened
from spikinghash.codes.new_rows import Refused
from spikinghash.events.isolate import IsolatedDecoder, Limits
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.training.checkpoint import load_model

#: Contents of the files of a model folder, by name.
ModelFiles = dict[str, bytes]


class Refusal(NamedTuple):
    """A refused input in plain values, for errors do not travel between processes."""

    path: str
    sha256: str | None
    reason: str
    message: str
    offset: int | None


class HashWorker:
    """A model and a decoder of its own, on one core; `BadCheckpoint` if the model's files are damaged."""

    def __init__(
        self,
        files: ModelFiles,
        format: str | None,
        limits: Limits,
        command: Sequence[str],
        reading: ReadOptions = DEFAULTS,
    ) -> None:
        # several workers with a thread per core each would fight over the cores
        torch.set_num_threads(1)
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            self.encoder = Encoder(load_model(Path(folder)), workers=1)
        self.format, self.reading = format, reading
        self.decoder = IsolatedDecoder(limits, command)

    def ready(self) -> bool:
        """Answers when the model is loaded."""
        return True

    def hash(self, items: list[Opened]) -> list[Hashed | Refusal]:
        """What became of the inputs, in any order."""
        results = hash_here(iter(items), self.encoder, self.decoder.stream, self.format, reading=self.reading)
        return [_plain(result) if isinstance(result, Refused) else result for result in results]


def _plain(refused: Refused) -> Refusal:
    error = refused.error
    return Refusal(refused.path, refused.sha256, error.reason, error.message, error.offset)
