"""Which files a bulk job looks at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spikinghash.errors import ConfigError


def discover(paths: Iterable[Path]) -> list[Path]:
    """Files named directly and all files below the folders named, each once, sorted; hidden files are left out.

    Links, pipes and devices are listed, so that reading can refuse them by name. Raises `ConfigError` for a path that
    is not there.
    """
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            for item in path.rglob("*"):
                hidden = any(part.startswith(".") for part in item.relative_to(path).parts)
                if not hidden and (item.is_symlink() or not item.is_dir()):
                    found.add(item)
        elif path.is_symlink() or path.exists():
            found.add(path)
        else:
            raise ConfigError(f"{path}: no such file or folder")
    return sorted(found)
