"""Which files a bulk job looks at."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.events.source import is_folder


def discover(paths: Iterable[Path], leave_out: Iterable[str] = ()) -> list[Path]:
    """Files named directly and all files below the folders named, each once, sorted; hidden files are left out.

    Links, pipes, sockets and devices are listed, and so are folders that may not be listed, so that reading can refuse
    them by name: nothing is lost without a word. `leave_out` are folders of our own, such as the database, which are no
    recordings where they lie among them. Raises `ConfigError` for a path that is not there.
    """
    found: set[Path] = set()
    for path in paths:
        if is_folder(path):
            found |= _below(path)
        elif _is_there(path):
            found.add(path)
        else:
            raise ConfigError(f"{path}: no such file or folder")
    ours = [Path(place).resolve() for place in leave_out if "://" not in place]
    return sorted(path for path in found if not any(path.parent.resolve().is_relative_to(place) for place in ours))


def _below(root: Path) -> set[Path]:
    found: set[Path] = set()

    def refused(error: OSError) -> None:
        found.add(Path(error.filename) if error.filename else root)

    for folder, folders, files in os.walk(root, onerror=refused):
        here = Path(folder)
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if (here / name).is_symlink()]
        found.update(here / name for name in (*files, *links) if not name.startswith("."))
    return found


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        pass  # a folder on the way may not be entered: reading says so
    return True
