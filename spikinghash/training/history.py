"""The training history: one JSON line an epoch, appended by rank 0, read by whoever watches."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spikinghash.training.loop import EpochRecord

HISTORY, STARTS = "history.jsonl", "starts.txt"


def append(path: Path, record: EpochRecord) -> None:
    """Add one epoch, on a line of its own even after a half-written one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = not path.exists() or path.read_bytes()[-1:] in (b"", b"\n")
    with path.open("a", encoding="utf-8") as out:
        out.write(("" if whole else "\n") + json.dumps(asdict(record), sort_keys=True) + "\n")


@dataclass(frozen=True)
class Start:
    """Training began, or went on, after `epoch` epochs and `step` steps, with `world` workers; `before` saved the
    state, 0 where there was none.
    """

    epoch: int
    step: int = 0
    before: int = 0
    world: int = 1

    def __str__(self) -> str:
        step = f", step {self.step} of the next" if self.step else ""
        many = f"{self.world} worker{'s' if self.world > 1 else ''}"
        workers = f", with {many} instead of {self.before}" if self.before not in (0, self.world) else ""
        return f"training resumed after epoch {self.epoch}{step}{workers}"


def note_start(path: Path, start: Start) -> None:
    """Remember a start beside the history `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(STARTS).open("a", encoding="ascii") as out:
        out.write(f"{start.epoch} {start.step} {start.before} {start.world}\n")


def read_starts(path: Path) -> list[Start]:
    """All starts, oldest first; a half-written one not at all."""
    try:
        text = path.with_name(STARTS).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return []
    lines = [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [Start(*map(int, line)) for line in lines if len(line) == 4 and all(word.isdigit() for word in line)]


def read(path: Path) -> list[dict[str, Any]]:
    """All finished epochs in order; an epoch repeated after a resume counts once, a half-written line not at all."""
    epochs: dict[int, dict[str, Any]] = {}
    if not path.exists():
        return []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        epochs[record["epoch"]] = record
    return [epochs[e] for e in sorted(epochs)]
