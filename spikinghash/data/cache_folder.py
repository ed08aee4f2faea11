"""Where caches of sample stores are kept: the folder that `data.cache` names, or one below the user's cache folder."""

from __future__ import annotations

import tempfile
from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.kernels.cache_folder import user_cache_folder

#: Name of the one beside a run.
BESIDE = "cache"


def cache_folder(named: str | None, beside: Path) -> Path:
    """The folder, made where it is missing: `named`; else the user's; else one in `beside`, for users without a home.

    Raises `ConfigError` for one that cannot be written.
    """
    if named is not None:
        folder = Path(named)
        if (why := _why_not(folder)) is not None:
            raise ConfigError(f"data.cache: {folder} cannot be written ({why}); name another folder")
        return folder
    own = user_cache_folder()
    if own is not None and _why_not(own) is None:
        return own
    if (why := _why_not(beside)) is not None:
        raise ConfigError(f"neither the user's cache folder nor {beside} can be written ({why}); set data.cache")
    return beside


def _why_not(folder: Path) -> str | None:
    """Why no file can be kept in a folder, None where one can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return error.strerror or type(error).__name__
    return None
