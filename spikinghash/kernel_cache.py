"""Where compiled kernels are kept: beside the code, in a folder of the user, or in a temporary one.

Numba keeps pickled machine code and runs it, so a folder that others can write to is never used.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"


def prepare_kernel_cache() -> None:
    """Choose the folder before numba is imported; one line on stderr where it is a temporary one.

    A folder that the environment names in NUMBA_CACHE_DIR is used as it is, if we may write there.
    """
    named = os.environ.get(_VARIABLE)
    if named:
        if _may_write(Path(named)):
            return
        why = f"{_VARIABLE}={named} cannot be written"
    elif _may_write(Path(__file__).parent / "__pycache__") or _may_write(_user_cache()):
        return
    else:
        why = "neither the program's folder nor a home folder can be written"
    try:
        folder = _own_temporary_folder()
    except OSError as error:
        _tell(f"{why}, and there is no temporary folder ({error}); set {_VARIABLE} to a folder of this user")
        return
    os.environ[_VARIABLE] = str(folder)
    _tell(f"{why}; compiled kernels are kept in {folder}, set {_VARIABLE} to a lasting folder")


def _user_cache() -> Path | None:
    """Numba's folder below the home folder; None where there is no home, for it would take the current directory."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111  never raises
    return cache / "numba" if cache.is_absolute() else None


def _may_write(folder: Path | None) -> bool:
    """Whether numba could keep a file there; it makes the folder as numba would."""
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
