"""What became of the inputs of a bulk job."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class EncodeReport:
    """Recordings by what became of them. Law: found = committed + skipped + quarantined + pending.

    `committed` were added by this run, with `clips` clips; `skipped` were in the database already, or are a second
    copy of the same contents; `quarantined` were refused now or earlier, by reason in `reasons`. Where a run was
    stopped, `found` also counts the files it did not get to, an archive as one.
    """

    found: int = 0
    committed: int = 0
    clips: int = 0
    skipped: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    events: int = 0
    seconds: float = 0.0

    @property
    def pending(self) -> int:
        """Inputs still to be done; 0 unless the run was stopped or files are still being written."""
        return self.found - self.committed - self.skipped - self.quarantined

    @property
    def refusals(self) -> str:
        """Refused recordings by reason in a few words, "" for none."""
        return ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())

    def to_json(self) -> dict[str, Any]:
        """The JSON keys of the command line contract."""
        return {
            "found": self.found,
            "committed": self.committed,
            "clips": self.clips,
            "skipped": self.skipped,
            "quarantined": self.quarantined,
            "pending": self.pending,
            "reasons": dict(sorted(self.reasons.items())),
            "seconds": round(self.seconds, 3),
            "events_per_s": round(self.events / self.seconds) if self.seconds else 0,
        }
