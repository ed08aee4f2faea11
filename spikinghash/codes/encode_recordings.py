"""Bulk hashing of recording files into the code database: what is done is skipped, what is bad is quarantined."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spikinghash.codes.encoder import Encoder
from spikinghash.codes.frame_recording import FramedClip, frame_recording
from spikinghash.codes.new_rows import Refused, code_rows, quarantine_rows
from spikinghash.codes.rows import path_text
from spikinghash.codes.table import CodeDatabase
from spikinghash.errors import BadRecording
from spikinghash.events.source import open_source

#: Recordings in one commit.
COMMIT = 512


@dataclass
class EncodeReport:
    """found = committed + skipped + quarantined + pending.

    `committed` were added by this run, `skipped` were in the database already (or are a second copy of the same
    contents), `quarantined` were refused now or earlier, by reason in `reasons`.
    """

    found: int = 0
    committed: int = 0
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
            "skipped": self.skipped,
            "quarantined": self.quarantined,
            "pending": self.found - self.committed - self.skipped - self.quarantined,
            "reasons": dict(sorted(self.reasons.items())),
            "seconds": round(self.seconds, 3),
            "events_per_s": round(self.events / self.seconds) if self.seconds else 0,
        }


def encode_recordings(
    files: list[Path],
    encoder: Encoder,
    database: CodeDatabase,
    *,
    format: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> EncodeReport:
    """Hash `files`, committing in batches. Running it again, or twice at the same time, changes nothing."""
    started = time.monotonic()
    model = encoder.model.digest
    report = EncodeReport(found=len(files))
    done = set(database.rows(model).column("recording_sha256").to_pylist())
    bad = {(r["sha256"], r["path"]): r["reason"] for r in database.quarantined(model).to_pylist()}
    clips: list[FramedClip] = []
    refused: list[Refused] = []
    for count, path in enumerate(files, start=1):
        sha256 = None
        try:
            source = open_source(path)
            sha256 = source.sha256
            if sha256 in done:
                report.skipped += 1
            elif (sha256, path_text(path)) in bad:
                report.quarantined += 1
                report.reasons[bad[sha256, path_text(path)]] += 1
            else:
                clips.append(frame_recording(path, source, encoder.model.spec, format))
                done.add(sha256)
        except BadRecording as error:
            refused.append(Refused(path_text(path), sha256, error))
        if len(clips) >= COMMIT or len(refused) >= COMMIT or count == len(files):
            _commit(clips, refused, encoder, database, report)
            clips, refused = [], []
        if progress is not None:
            progress(count, len(files))
    report.seconds = time.monotonic() - started
    return report


def _commit(
    clips: list[FramedClip], refused: list[Refused], encoder: Encoder, database: CodeDatabase, report: EncodeReport
) -> None:
    model = encoder.model
    if clips:
        codes, margins = encoder.encode(np.stack([c.counts for c in clips]))
        rows = code_rows([c.clip for c in clips], codes, margins, model.digest, model.spec.frames_digest)
        appended = database.append(rows)
        report.committed += appended.written
        report.skipped += appended.skipped
        report.events += sum(c.events for c in clips)
    if refused:
        database.quarantine(quarantine_rows(refused, model.digest))
        report.quarantined += len(refused)
        report.reasons.update(r.error.reason for r in refused)
