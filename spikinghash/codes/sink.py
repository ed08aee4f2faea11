"""Where a bulk job puts its results: they are committed in batches, each recording once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.hash_inputs import Hashed
from spikinghash.codes.new_rows import Refused, code_rows, quarantine_rows
from spikinghash.codes.todo import Todo
from spikinghash.training.checkpoint import LoadedModel

#: Clips, or refused recordings, in one commit; a long recording may bring more, for its clips are committed together.
COMMIT = 512
#: Every commit looks at all of those before it, so a long run commits more at once: one part in so many of what it has.
PART, LARGEST = 16, 8192


@dataclass
class _Batch:
    hashed: list[Hashed] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    clips: int = 0

    def full(self, committed: int) -> bool:
        """Whether it is to be committed, in a run that has committed so many clips and refusals."""
        enough = min(max(COMMIT, committed // PART), LARGEST)
        return self.clips >= enough or len(self.refused) >= enough


class Sink:
    """Takes what became of the inputs of `todo` and counts it in its report."""

    def __init__(self, todo: Todo, model: LoadedModel, database: CodeDatabase) -> None:
        self.todo, self.model, self.database = todo, model, database
        self.batch = _Batch()

    def add(self, result: Hashed | Refused) -> None:
        """Take one result, and commit when there are enough."""
        copies = self.todo.copies.pop(result.sha256, []) if result.sha256 else []
        if isinstance(result, Hashed):
            self.batch.hashed.append(result)
            self.batch.clips += len(result.clips)
            self.todo.done.add(result.sha256)
            self.todo.report.skipped += len(copies)
        else:
            self.batch.refused += [result, *(Refused(path, result.sha256, result.error) for path in copies)]
        if self.batch.full(self.todo.report.clips + self.todo.report.quarantined):
            self.commit()

    def commit(self) -> None:
        """Write what waits and count it; no signal interrupts this."""
        hashed, refused = self.batch.hashed, self.batch.refused
        self.batch = _Batch()
        if hashed:
            self._commit_codes(hashed)
        if refused:
            self._quarantine(refused)

    def _commit_codes(self, hashed: list[Hashed]) -> None:
        model, report = self.model, self.todo.report
        clips = [clip for h in hashed for clip in h.clips]
        codes, margins = np.concatenate([h.codes for h in hashed]), np.concatenate([h.margins for h in hashed])
        appended = self.database.append(code_rows(clips, codes, margins, model.digest, model.spec.input.digest))
        # a recording's clips are committed together; those already there come from a run beside this one
        ours = len(set(appended.rows.column("recording_sha256").to_pylist()))
        report.committed += ours
        report.skipped += len(hashed) - ours
        report.clips += appended.written
        report.events += sum(h.events for h in hashed)

    def _quarantine(self, refused: list[Refused]) -> None:
        known, report = self.todo.refusals, self.todo.report
        # an input that cannot even be opened is tried each time, and refused once
        new = [r for r in refused if r.sha256 is not None or known.find(None, r.path) is None]
        self.database.quarantine(quarantine_rows(new, self.model.digest), known.rows_of_key)
        report.quarantined += len(refused)
        report.reasons.update(r.error.reason for r in refused)
