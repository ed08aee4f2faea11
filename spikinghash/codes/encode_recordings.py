"""Bulk hashing of recordings into the code database: what is done is skipped, what is bad is quarantined."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spikinghash.codes.encoder import Encoder
from spikinghash.codes.frame_recording import FramedClip, frame_recording
from spikinghash.codes.inputs import Input, open_inputs
from spikinghash.codes.new_rows import Refused, code_rows, quarantine_rows
from spikinghash.codes.table import CodeDatabase
from spikinghash.errors import BadRecording
from spikinghash.frames.clips import Decode

#: Called with how many are done and how many there are, None where that is not known.
Progress = Callable[[int, int | None], None]

#: Clips, or refused recordings, in one commit; a long recording may bring more, for its clips are committed together.
COMMIT = 512


@dataclass
class EncodeReport:
    """Recordings by what became of them. Law: found = committed + skipped + quarantined + pending.

    `committed` were added by this run, with `clips` clips; `skipped` were in the database already, or are a second
    copy of the same contents; `quarantined` were refused now or earlier, by reason in `reasons`.
    """

    found: int = 0
    committed: int = 0
    clips: int = 0
    skipped: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    events: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The JSON keys of the command line contract."""
        return {
            "found": self.found,
            "committed": self.committed,
            "clips": self.clips,
            "skipped": self.skipped,
            "quarantined": self.quarantined,
            "pending": self.found - self.committed - self.skipped - self.quarantined,
            "reasons": dict(sorted(self.reasons.items())),
            "seconds": round(self.seconds, 3),
            "events_per_s": round(self.events / self.seconds) if self.seconds else 0,
        }


@dataclass
class _Batch:
    recordings: int = 0
    clips: list[FramedClip] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def add(self, clips: list[FramedClip]) -> None:
        self.recordings += 1
        self.clips += clips

    @property
    def full(self) -> bool:
        return len(self.clips) >= COMMIT or len(self.refused) >= COMMIT


def encode_recordings(
    files: list[Path],
    encoder: Encoder,
    database: CodeDatabase,
    *,
    decode: Decode,
    format: str | None = None,
    progress: Progress | None = None,
) -> EncodeReport:
    """Hash recordings, and those in archives, committing in batches. Repeating it, or running it twice, adds nothing.

    `decode` reads one file, in the daily job that of an `IsolatedDecoder`.
    """
    started = time.monotonic()
    model = encoder.model
    report = EncodeReport()
    done = database.committed_recordings(model.digest)
    bad = {(r["sha256"], r["path"]): str(r["reason"]) for r in database.quarantined(model.digest).to_pylist()}
    batch = _Batch()
    for item in _told(open_inputs(files), len(files), progress):
        report.found += 1
        sha256 = None
        try:
            if isinstance(item.source, BadRecording):
                raise item.source
            sha256 = item.source.sha256
            if sha256 in done:
                report.skipped += 1
                continue
            if (sha256, item.path) in bad:
                report.quarantined += 1
                report.reasons[bad[sha256, item.path]] += 1
                continue
            batch.add(frame_recording(item.path, item.source, model.spec, decode, archive=item.archive, format=format))
            done.add(sha256)
        except BadRecording as error:
            batch.refused.append(Refused(item.path, sha256, error))
        if batch.full:
            _commit(batch, encoder, database, report)
            batch = _Batch()
    _commit(batch, encoder, database, report)
    report.seconds = time.monotonic() - started
    return report


def _told(items: Iterable[Input], files: int, progress: Progress | None) -> Iterable[Input]:
    """Count inputs for a progress bar; once an archive is met, the total is not known."""
    total: int | None = files
    for count, item in enumerate(items, start=1):
        yield item
        total = None if item.archive else total
        if progress is not None:
            progress(count, total)


def _commit(batch: _Batch, encoder: Encoder, database: CodeDatabase, report: EncodeReport) -> None:
    model = encoder.model
    if batch.clips:
        codes, margins = encoder.encode(np.stack([c.frames for c in batch.clips]))
        rows = code_rows([c.clip for c in batch.clips], codes, margins, model.digest, model.spec.frames_digest)
        appended = database.append(rows)
        # a recording's clips are committed together; those already there come from a run beside this one
        ours = len(set(appended.rows.column("recording_sha256").to_pylist()))
        report.committed += ours
        report.skipped += batch.recordings - ours
        report.clips += appended.written
        report.events += sum(c.events for c in batch.clips)
    if batch.refused:
        database.quarantine(quarantine_rows(batch.refused, model.digest))
        report.quarantined += len(batch.refused)
        report.reasons.update(r.error.reason for r in batch.refused)
