"""Names of objects in a store as names of local files: a bucket may hold names that would leave the folder."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

#: Bytes of one part of a path. File systems allow 255; a draft beside the file has a longer name than the file.
_LONGEST_PART = 240
_LONGEST = 1024
#: Control characters, halves of surrogate pairs, and what ends a line.
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")


def local_name(name: str) -> PurePosixPath:
    """The relative path that an object of this name gets; `ValueError` with the rule that it breaks.

    Hidden files are refused too, because bulk jobs leave them out without a word.
    """
    if len(name.encode(errors="surrogatepass")) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} bytes")
    if any(unicodedata.category(character) in _UNPRINTABLE for character in name):
        raise ValueError("has a control character")
    if "\\" in name:
        raise ValueError("has a backslash")
    if name.startswith("/"):
        raise ValueError("is absolute")
    parts = name.split("/")
    for part in parts:
        if not part:
            raise ValueError("has an empty part")
        if part in (".", ".."):
            raise ValueError(f"has the part {part!r}")
        if part.startswith("."):
            raise ValueError("is hidden: a part begins with a dot")
        if len(part.encode()) > _LONGEST_PART:
            raise ValueError(f"has a part longer than {_LONGEST_PART} bytes")
    return PurePosixPath(*parts)
