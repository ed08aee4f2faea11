"""Bulk hashing of recordings into the code database: what is done is skipped, what is bad is quarantined."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_report import EncodeReport
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.hash_inputs import Hashed, Hasher, hash_here
from spikinghash.codes.inputs import Opened
from spikinghash.codes.new_rows import Refused
from spikinghash.codes.signals import Stop, Stopped
from spikinghash.codes.sink import Sink
from spikinghash.codes.todo import Progress, Todo
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.frames.clips import Decode
from spikinghash.training.checkpoint import LoadedModel


def encode_recordings(
    files: Sequence[Path],
    encoder: Encoder,
    database: CodeDatabase,
    *,
    decode: Decode,
    format: str | None = None,
    reading: ReadOptions = DEFAULTS,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> EncodeReport:
    """Hash recordings, and those in archives, committing in batches. Repeating it, or running it twice, adds nothing.

    `decode` reads one file, in the daily job that of an `IsolatedDecoder`. When `stop` is asked, what is encoded is
    committed and the report counts the rest as pending.
    """

    def hasher(inputs: Iterator[Opened]) -> Iterator[Hashed | Refused]:
        return hash_here(inputs, encoder, decode, format, stop, reading)

    return encode_with(hasher, files, encoder.model, database, progress=progress, stop=stop)


def encode_with(
    hasher: Hasher,
    files: Sequence[Path],
    model: LoadedModel,
    database: CodeDatabase,
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> EncodeReport:
    """As `encode_recordings`, with `hasher` doing the work between reading the inputs and committing the codes."""
    started = time.monotonic()
    todo = Todo(files, model.digest, database, stop or Stop(), progress)
    sink = Sink(todo, model, database)
    try:
        for result in hasher(iter(todo)):
            for closed in todo.take_closed():
                sink.add(closed)
            sink.add(result)
    except Stopped:
        # files not looked at are to be done as well; what is inside an archive nobody knows, it counts as one
        todo.report.found += todo.left
    for closed in todo.take_closed():
        sink.add(closed)
    sink.commit()
    todo.report.seconds = time.monotonic() - started
    return todo.report
