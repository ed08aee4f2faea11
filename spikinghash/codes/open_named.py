"""A recording by the name that our answers give it: a file, or `<archive>!<member>`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spikinghash.codes.inputs import open_inputs
from spikinghash.codes.schema import path_text
from spikinghash.errors import BadRecording
from spikinghash.events.source import Source, open_source


def open_named(path: Path) -> Source:
    """Its contents; `BadRecording` as `open_source`, and for an archive without such a member."""
    if not path.exists() and not path.is_symlink():
        for archive in _archives(path):
            return _member(archive, path)
    return open_source(path)


def _archives(path: Path) -> Iterator[Path]:
    """Files that may be the archive in the name: what stands before each `!`."""
    text = str(path)
    for at, mark in enumerate(text):
        if mark == "!" and Path(text[:at]).is_file():
            yield Path(text[:at])


def _member(archive: Path, path: Path) -> Source:
    wanted = path_text(path)
    for item in open_inputs([archive]):
        if item.path == wanted:
            if isinstance(item.source, BadRecording):
                raise item.source
            return item.source
        if item.archive is None and isinstance(item.source, BadRecording):
            raise item.source
    raise BadRecording("unreadable", f"{archive} has no member {wanted[len(path_text(archive)) + 1 :]!r}")
