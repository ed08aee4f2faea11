"""What was refused before: by contents where they are known, else by the absolute path; and what is tried again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from spikinghash.codes.commit import Key
from spikinghash.schema import TRANSIENT_REASONS

#: How often a recording that is refused for such a reason is tried: one that always kills its decoder costs no fourth
#: night, until `spikinghash release` says so.
TRIES = 3


def absolute(path: str) -> str:
    """The path of an input as text, from the root: one file has one name wherever a command is run."""
    return os.path.abspath(path)  # noqa: PTH100  resolves no links


def identity(sha256: str | None, path: str) -> str:
    """What makes two refusals those of one recording."""
    return sha256 if sha256 is not None else absolute(path)


@dataclass(frozen=True)
class Refusal:
    """How a recording was refused last, and how often."""

    reason: str
    tries: int

    @property
    def final(self) -> bool:
        """Whether it is not tried again."""
        return self.reason not in TRANSIENT_REASONS or self.tries >= TRIES


class Refusals:
    """The refusals of one model, or of all, out of rows of the quarantine."""

    def __init__(self, rows: pa.Table) -> None:
        self._by_identity: dict[str, Refusal] = {}
        self.rows_of_key: dict[Key, int] = {}
        seen: dict[str, set[object]] = {}
        columns = ("sha256", "path", "model", "reason", "seen_at")
        for row in rows.sort_by("seen_at").select(columns).to_pylist():
            who = identity(row["sha256"], row["path"])
            # copies of one content that were refused together are one try
            times = seen.setdefault(who, set())
            times.add(row["seen_at"])
            self._by_identity[who] = Refusal(row["reason"], len(times))
            key = (row["sha256"], row["path"], row["model"])
            self.rows_of_key[key] = self.rows_of_key.get(key, 0) + 1

    def __iter__(self) -> Iterator[tuple[str, Refusal]]:
        return iter(self._by_identity.items())

    def find(self, sha256: str | None, path: str) -> Refusal | None:
        """The refusal of a recording, None if it was never refused."""
        return self._by_identity.get(identity(sha256, path))
