"""The training history: one JSON line an epoch, appended by rank 0, read by whoever watches."""

from __future__ import annotations

import json
from dataclasses import asdict
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


def note_start(path: Path, epoch: int) -> None:
    """Remember beside the history `path` that training began, or went on, after `epoch` finished epochs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(STARTS).open("a", encoding="ascii") as out:
        out.write(f"{epoch}\n")


def read_starts(path: Path) -> list[int]:
    """Finished epochs at every start, oldest first; a half-written one not at all."""
    try:
        text = path.with_name(STARTS).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return []
    return [int(line) for line in text.splitlines(keepends=True) if line.endswith("\n") and line.strip().isdigit()]


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
