"""The account of an ingest: every file is a clip or a refusal, every event is framed or dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from spikinghash.errors import BadRecording
from spikinghash.frames.rows import ClipRow


@dataclass(frozen=True)
class Refusal:
    """One file that was not framed: why, at which byte, read as which format; `sha256` is None if it was unreadable."""

    path: str
    sha256: str | None
    reason: str
    offset: int | None
    message: str
    reader: str

    @classmethod
    def of(cls, path: str, sha256: str | None, error: BadRecording, reader: str) -> Refusal:
        """The refusal that `error` stands for."""
        return cls(path, sha256, error.reason, error.offset, error.message, reader)


@dataclass
class Ledger:
    """Running totals. Laws: `found == clips + len(refused)`, `events_in == framed + sum(dropped.values())`.

    `framed` and `dropped` count events of accepted files; what a refused file held is unknown.
    """

    found: int = 0
    clips: int = 0
    events_in: int = 0
    framed: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)

    def accept(self, row: ClipRow) -> None:
        """Enter a clip."""
        self.found += 1
        self.clips += 1
        self.events_in += row.events_in
        self.framed += row.events_framed
        self.dropped.update(row.dropped)
        self.splits[row.split] += 1

    def refuse(self, refusal: Refusal) -> None:
        """Enter a refused file."""
        self.found += 1
        self.refused.append(refusal)

    @property
    def reasons(self) -> dict[str, int]:
        """Number of refused files by reason."""
        return dict(Counter(refusal.reason for refusal in self.refused))

    def to_json(self) -> dict[str, Any]:
        """Plain values for `ledger.json`."""
        return {
            "found": self.found,
            "clips": self.clips,
            "events_in": self.events_in,
            "framed": self.framed,
            "dropped": dict(self.dropped),
            "splits": dict(self.splits),
            "reasons": self.reasons,
            "refused": [asdict(refusal) for refusal in self.refused],
        }
