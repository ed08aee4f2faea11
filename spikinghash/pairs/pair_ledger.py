"""The account of an import of pairs: every pair that was found is accepted or refused, with a reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from spikinghash.pairs.pair import Candidate, Pair, RefusedPair


@dataclass
class PairLedger:
    """Running totals. Law: `found == accepted + len(refused)`.

    `lacking` counts accepted pairs without a picture, without a text, and without labels; `re_rooted` those whose
    picture was not where the list has it.
    """

    accepted: int = 0
    re_rooted: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    lacking: Counter[str] = field(default_factory=Counter)
    refused: list[RefusedPair] = field(default_factory=list)

    @property
    def found(self) -> int:
        """Pairs that the set has."""
        return self.accepted + len(self.refused)

    @property
    def reasons(self) -> dict[str, int]:
        """Number of refused pairs by reason."""
        return dict(Counter(one.reason for one in self.refused))

    def accept(self, pair: Pair, found: Candidate) -> None:
        """Enter a pair."""
        self.accepted += 1
        self.re_rooted += found.re_rooted
        self.splits[pair.split] += 1
        self.lacking["picture"] += pair.image is None
        self.lacking["text"] += not pair.text
        self.lacking["labels"] += not pair.labels

    def to_json(self) -> dict[str, Any]:
        """Plain values for `ledger.json`."""
        return {
            "found": self.found,
            "accepted": self.accepted,
            "re_rooted": self.re_rooted,
            "splits": dict(self.splits),
            "lacking": dict(self.lacking),
            "reasons": self.reasons,
            "refused": [asdict(one) for one in self.refused],
        }
