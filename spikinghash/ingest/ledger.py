"""The account of an ingest: every recording is cut or refused, every event is framed or dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spikinghash.data.sample_row import SampleRow
from spikinghash.errors import BadRecording
from spikinghash.frames.coverage import Coverage


@dataclass(frozen=True)
class Refusal:
    """One file that was not framed: why, at which byte, read as which format; `sha256` is None if it was unreadable.

    `recordings` of the data set lie in the file and were refused with it. If only an interval of a good file was
    refused, `path` is the id of that recording.
    """

    path: str
    sha256: str | None
    reason: str
    offset: int | None
    message: str
    reader: str
    recordings: int = 1

    @classmethod
    def of(cls, path: str, sha256: str | None, error: BadRecording, reader: str, recordings: int = 1) -> Refusal:
        """The refusal that `error` stands for."""
        return cls(path, sha256, error.reason, error.offset, error.message, reader, recordings)


@dataclass
class Ledger:
    """Running totals.

    Laws: `found == accepted + sum of refused[].recordings`; `events_in == framed + sum(dropped.values())`; accepted
    files hold `events_in - repeated` events. `repeated` is above 0 only where clips overlap: an event in three clips is
    given to framing, and so is in `events_in`, three times, of which two are repeats. `left_out` counts windows that
    became no clip, by reason; their events are in `dropped`. What a refused file held is unknown.
    """

    found: int = 0
    accepted: int = 0
    clips: int = 0
    events_in: int = 0
    framed: int = 0
    repeated: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    #: Recordings whose times look like another unit.
    doubtful_times: int = 0

    def accept(self, row: SampleRow) -> None:
        """Enter a sample, with the accounts of its event clips."""
        self.clips += 1
        self.splits[row.split] += 1
        for account in row.accounts.values():
            self.events_in += account.events_in
            self.framed += account.events_framed
            self.dropped.update(account.dropped)

    def close_file(self, recordings: int, coverage: Coverage) -> None:
        """Enter what the clips of a file do not say: how many recordings were in it, events in no or several clips."""
        self.found += recordings
        self.accepted += recordings
        self.events_in += sum(coverage.dropped.values())
        self.dropped.update(coverage.dropped)
        self.repeated += coverage.repeated
        self.left_out.update(coverage.left_out)

    def refuse(self, refusal: Refusal) -> None:
        """Enter a refused file or interval."""
        self.found += refusal.recordings
        self.refused.append(refusal)

    @property
    def reasons(self) -> dict[str, int]:
        """Number of refused files by reason."""
        return dict(Counter(refusal.reason for refusal in self.refused))

    def refusal_line(self, path: Path) -> str | None:
        """One line about refused files, of which the ledger at `path` says more; None for none."""
        if not self.refused:
            return None
        first = self.refused[0]
        return (
            f"{len(self.refused)} refused, the first {first.path}: {first.reason}: {first.message}; all are in {path}"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values for `ledger.json`."""
        return {
            "found": self.found,
            "accepted": self.accepted,
            "clips": self.clips,
            "events_in": self.events_in,
            "framed": self.framed,
            "repeated": self.repeated,
            "dropped": dict(self.dropped),
            "left_out": dict(self.left_out),
            "splits": dict(self.splits),
            "doubtful_times": self.doubtful_times,
            "reasons": self.reasons,
            "refused": [asdict(refusal) for refusal in self.refused],
        }
