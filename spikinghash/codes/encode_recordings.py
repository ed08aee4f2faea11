"""Bulk hashing of recordings into the code database: what is done is skipped, what is bad is quarantined."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_report import EncodeReport
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.hash_inputs import Hashed, Hasher, hash_here
from spikinghash.codes.inputs import Input, Opened, open_inputs
from spikinghash.codes.new_rows import Refused, code_rows, quarantine_rows
from spikinghash.codes.refusals import Refusals
from spikinghash.codes.signals import Stop, Stopped
from spikinghash.errors import BadRecording
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.frames.clips import Decode
from spikinghash.training.checkpoint import LoadedModel

#: Called with how many are done, how many there are, None where that is not known, and what was refused so far.
Progress = Callable[[int, int | None, str], None]

#: Clips, or refused recordings, in one commit; a long recording may bring more, for its clips are committed together.
COMMIT = 512


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
    run = _Run(files, model, database, stop or Stop(), progress)
    try:
        for result in hasher(run.new_inputs()):
            run.add(result)
    except Stopped:
        # files not looked at are to be done as well; what is inside an archive nobody knows, it counts as one
        run.report.found += run.left
    run.commit()
    run.report.seconds = time.monotonic() - started
    return run.report


@dataclass
class _Batch:
    hashed: list[Hashed] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    clips: int = 0

    @property
    def full(self) -> bool:
        return self.clips >= COMMIT or len(self.refused) >= COMMIT


class _Run:
    """One run over `files`: what is known already, what waits to be committed, and the counts."""

    def __init__(
        self, files: Sequence[Path], model: LoadedModel, database: CodeDatabase, stop: Stop, progress: Progress | None
    ) -> None:
        self.files, self.left = files, len(files)
        self.model, self.database, self.stop, self.progress = model, database, stop, progress
        self.report = EncodeReport()
        self.done = database.committed_recordings(model.digest)
        self.refusals = Refusals(database.quarantined(model.digest))
        #: Paths of further copies of recordings that are being hashed, by SHA-256: they share the fate of the first.
        self.copies: dict[str, list[str]] = {}
        self.batch = _Batch()

    def new_inputs(self) -> Iterator[Opened]:
        """Inputs that are neither committed nor refused for good; the others are counted."""
        total: int | None = len(self.files)
        for item in self._inputs():
            self.report.found += 1
            total = None if item.archive else total
            if self.progress is not None:
                self.progress(self.report.found, total, self.report.refusals)
            if isinstance(item.source, BadRecording):
                self.add(Refused(item.path, None, item.source))
                continue
            sha256 = item.source.sha256
            if sha256 in self.done:
                self.report.skipped += 1
            elif (refusal := self.refusals.find(sha256, item.path)) is not None and refusal.final:
                self.report.quarantined += 1
                self.report.reasons[refusal.reason] += 1
            elif sha256 in self.copies:
                self.copies[sha256].append(item.path)
            else:
                self.copies[sha256] = []
                yield Opened(item.path, item.archive, item.source)

    def _inputs(self) -> Iterator[Input]:
        for path in self.files:
            items, counted = open_inputs([path]), False
            while True:
                with self.stop.interruptible():
                    item = next(items, None)
                if item is None:
                    break
                if item.archive is None:
                    counted, self.left = True, self.left - 1
                yield item
            self.left -= not counted

    def add(self, result: Hashed | Refused) -> None:
        """Take one result, and commit when there are enough."""
        copies = self.copies.pop(result.sha256, []) if result.sha256 else []
        if isinstance(result, Hashed):
            self.batch.hashed.append(result)
            self.batch.clips += len(result.clips)
            self.done.add(result.sha256)
            self.report.skipped += len(copies)
        else:
            self.batch.refused += [result, *(Refused(path, result.sha256, result.error) for path in copies)]
        if self.batch.full:
            self.commit()

    def commit(self) -> None:
        """Write what waits and count it; no signal interrupts this."""
        hashed, refused = self.batch.hashed, self.batch.refused
        model, self.batch = self.model, _Batch()
        if hashed:
            clips = [clip for h in hashed for clip in h.clips]
            codes, margins = np.concatenate([h.codes for h in hashed]), np.concatenate([h.margins for h in hashed])
            rows = code_rows(clips, codes, margins, model.digest, model.spec.frames_digest)
            appended = self.database.append(rows)
            # a recording's clips are committed together; those already there come from a run beside this one
            ours = len(set(appended.rows.column("recording_sha256").to_pylist()))
            self.report.committed += ours
            self.report.skipped += len(hashed) - ours
            self.report.clips += appended.written
            self.report.events += sum(h.events for h in hashed)
        if refused:
            # an input that cannot even be opened is tried each time, and refused once
            new = [r for r in refused if r.sha256 is not None or self.refusals.find(None, r.path) is None]
            self.database.quarantine(quarantine_rows(new, model.digest), self.refusals.rows_of_key)
            self.report.quarantined += len(refused)
            self.report.reasons.update(r.error.reason for r in refused)
