"""What a bulk job reads: files as they lie and the members of archives, one after another."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spikinghash.codes.rows import path_text
from spikinghash.errors import BadRecording
from spikinghash.events.archive import ArchiveLimits, is_archive, members
from spikinghash.events.source import Source, open_source


@dataclass(frozen=True)
class Input:
    """One recording to be hashed, or why it could not even be opened; `archive` is the file it came out of."""

    path: str
    archive: str | None
    source: Source | BadRecording


@dataclass(frozen=True)
class Opened:
    """An input that could be read."""

    path: str
    archive: str | None
    source: Source


def open_inputs(files: Iterable[Path], limits: ArchiveLimits | None = None) -> Iterator[Input]:
    """Yield every recording of `files`. A refused archive is one more input, in place of the members it still had."""
    for path in files:
        name = path_text(path)
        try:
            if _regular(path) and is_archive(path):
                for member in members(path, limits or ArchiveLimits()):
                    yield Input(path_text(member.path), name, member)
            else:
                yield Input(name, None, open_source(path))
        except BadRecording as error:
            yield Input(name, None, error)


def _regular(path: Path) -> bool:
    # links and devices are refused by name in `open_source`, before anything is opened as an archive
    return stat.S_ISREG(path.lstat().st_mode)
