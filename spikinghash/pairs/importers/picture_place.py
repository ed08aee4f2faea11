"""Where a listed picture lies: below the folder of pictures, whatever machine the list was written on."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from spikinghash.pairs.pair import BadPair

_DRIVE = re.compile(r"[A-Za-z]:/")


def place_of(folder: Path, listed: str) -> tuple[Path, bool]:
    """The path of a picture, and whether it had to be re-rooted.

    Separators of either kind. A path that begins elsewhere, such as on the machine of a set's author, is re-rooted: of
    its endings the longest that is there below `folder`. Raises `BadPair("outside")` for one that leads out of it.
    """
    text = listed.strip().replace("\\", "/")
    parts = PurePosixPath(text).parts
    if not parts or "\0" in text or ".." in parts:
        raise BadPair("outside", f"{listed!r} is no path below {folder}")
    if not text.startswith("/") and not _DRIVE.match(text):
        return _inside(folder, folder.joinpath(*parts), listed), False
    for first in range(1, len(parts)):
        place = folder.joinpath(*parts[first:])
        if place.is_file():
            return _inside(folder, place, listed), True
    raise BadPair(
        "outside", f"{listed!r} is outside of {folder}, and no ending of it is there; put its pictures below it"
    )


def _inside(folder: Path, place: Path, listed: str) -> Path:
    if not place.parent.resolve().is_relative_to(folder.resolve()):
        raise BadPair("outside", f"{listed!r} leads out of {folder} by a link")
    return place
