"""Starting Python children that import nothing from the current directory, nor from where recordings land."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spikinghash import start
from spikinghash.kernels.cache_folder import user_cache_folder

#: A folder to run children in: no recording lies here, and nobody else's files are read.
NEUTRAL_FOLDER = os.sep


def isolated_command(module: str, *arguments: str) -> tuple[str, ...]:
    """The command of a child that runs one of our modules; give it `cwd=NEUTRAL_FOLDER` where it needs no other."""
    return (sys.executable, "-E", "-P", start.__file__, module, *arguments)


def isolated_tool(module: str, *arguments: str) -> tuple[str, ...]:
    """The command of a child that runs an installed tool, such as `dvc`."""
    return (sys.executable, "-E", "-P", "-m", module, *arguments)


@contextmanager
def packages_alone() -> Iterator[Path]:
    """A folder that holds links to our packages and nothing else, for children that take a search path only.

    The same one for all children where the user has a cache folder: machine code is kept by the path of its source, and
    under a new one each child would compile for a minute.
    """
    folder = _lasting_folder()
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="spikinghash-path-") as name:
        _link_packages(Path(name))
        yield Path(name)


def _lasting_folder() -> Path | None:
    """The folder of links to this copy of the packages in the user's cache folder; None where it cannot be kept."""
    own = user_cache_folder()
    if own is None:
        return None
    folder = own / f"packages-{hashlib.sha256(str(start.ROOT).encode()).hexdigest()[:16]}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _link_packages(folder)
        return folder if {path.name for path in folder.iterdir()} <= set(start.PACKAGES) else None
    except OSError:
        return None


def _link_packages(folder: Path) -> None:
    for package in start.PACKAGES:
        if (start.ROOT / package).is_dir():
            # another process may just do the same
            with suppress(FileExistsError):
                (folder / package).symlink_to(start.ROOT / package)
