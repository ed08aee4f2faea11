"""What a bulk job reads: files as they lie and the members of archives, one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from spikinghash.codes.schema import path_text
from spikinghash.errors import BadRecording
from spikinghash.events.archive import ArchiveLimits, open_archive
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

    def to_send(self) -> Opened:
        """The same for another process: with its content, or where that may not lie in memory as the file's path."""
        try:
            return replace(self, source=self.source.in_memory())
        except BadRecording:
            return self


#: What other systems leave in archives beside the files that were packed.
_LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


def _is_litter(archive: Path, member: Path) -> bool:
    """Hidden members, and what no person packed, are left out as hidden files are in folders."""
    parts = str(member)[len(str(archive)) + 1 :].split("/")
    return any(part.startswith(".") or part.lower() in _LITTER for part in parts)


def open_inputs(files: Iterable[Path], limits: ArchiveLimits | None = None) -> Iterator[Input]:
    """Yield every recording of `files`. A refused archive is one more input, in place of the members it still had.

    Whatever goes wrong with one file is that input's refusal, never the end of the others.
    """
    for path in files:
        name = path_text(path)
        try:
            archive = open_archive(path, limits or ArchiveLimits())
            if archive is None:
                yield Input(name, None, open_source(path))
                continue
            for member in archive:
                if _is_litter(path, member.path):
                    continue
                found = member if isinstance(member, Source) else member.error
                yield Input(path_text(member.path), name, found)
        except BadRecording as error:
            yield Input(name, None, error)
        except MemoryError:
            yield Input(name, None, BadRecording("memory", "there is no memory to read it"))
        except OSError as error:
            yield Input(name, None, BadRecording("unreadable", f"reading failed: {error.strerror or error}"))
