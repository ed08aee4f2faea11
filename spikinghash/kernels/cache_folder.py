"""Where compiled kernels are kept: in a folder of the user, beside the code, or in a temporary one.

Numba keeps pickled machine code and runs it, so a folder that others can write to is never used.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"


@cache
def kernel_cache_folder() -> Path | None:
    """The folder for compiled kernels, None where nothing can be kept; one line on stderr where it will not last.

    A folder that the environment names in NUMBA_CACHE_DIR is used as it is, if we may write there. A temporary folder
    is named there for children, which then say nothing more.
    """
    named = os.environ.get(_VARIABLE)
    if named:
        if _may_write(Path(named)):
            return Path(named)
        why = f"{_VARIABLE}={named} cannot be written"
    else:
        for folder in (user_cache_folder(), Path(__file__).parent / "__pycache__"):
            if _may_write(folder):
                return folder
        why = "neither a home folder nor the program's folder can be written"
    try:
        folder = _own_temporary_folder()
    except OSError as error:
        _tell(f"{why}, and there is no temporary folder ({error}); set {_VARIABLE} to a folder of this user")
        return None
    os.environ[_VARIABLE] = str(folder)
    _tell(f"{why}; compiled kernels are kept in {folder}, set {_VARIABLE} to a lasting folder")
    return folder


def user_cache_folder() -> Path | None:
    """Our folder below the user's cache folder; None where there is no home, or it would be the current directory."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111  never raises
    return folder / "spikinghash" if folder.is_absolute() else None


def _may_write(folder: Path | None) -> bool:
    """Whether a file can be kept there; makes the folder."""
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return folder is not None


def _own_temporary_folder() -> Path:
    """A folder of ours alone, the same one next time; a new one where somebody else has that name."""
    folder = Path(tempfile.gettempdir()) / f"spikinghash-kernels-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="spikinghash-kernels-"))


def _tell(line: str) -> None:
    print(f"spikinghash: {line}", file=sys.stderr)  # noqa: T201
