"""Starting Python children that import nothing from the current directory, nor from where recordings land."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spikinghash import start

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
    """A folder that holds links to our packages and nothing else, for children that take a search path only."""
    with tempfile.TemporaryDirectory(prefix="spikinghash-path-") as name:
        folder = Path(name)
        for package in start.PACKAGES:
            if (start.ROOT / package).is_dir():
                (folder / package).symlink_to(start.ROOT / package)
        yield folder
