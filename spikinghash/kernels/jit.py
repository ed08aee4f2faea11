"""`@kernel`: numba's `njit` with a cache that knows the sources of all kernels, not only a kernel's own file."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from numba import config, njit

from spikinghash.kernels.cache_folder import kernel_cache_folder
from spikinghash.kernels.cache_locator import PackageCacheLocator
from spikinghash.kernels.digest import DIGITS, kernel_digest

_OURS = re.compile(rf"kernels-[0-9a-f]{{{DIGITS}}}")
_LOCATOR = f"{PackageCacheLocator.__module__}.{PackageCacheLocator.__name__}"
_KEPT_S = 30 * 24 * 3600
_decorating = threading.Lock()
#: Numba fills it when it is imported; its types do not say with what.
_settings: Any = config


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a function of arrays when it is first called; `@kernel` or `@kernel(parallel=True, ...)` as `njit` takes.

    Machine code is kept in a folder named by the digest of all kernel sources, so an edit of any of them compiles all
    anew, and a copy of the package nothing. A kernel outside `kernels/` is kept by the sources of its own folder too:
    what it calls must be in either. A kernel releases the GIL, except a parallel one: numba's simplest thread pool
    allows one caller.
    """
    if function is None:
        return partial(kernel, **options)
    if options.get("inline") == "always":
        # compiled into its callers
        return njit(**options)(function)
    options.setdefault("nogil", not options.get("parallel"))
    folder = _digest_folder(Path(function.__code__.co_filename).parent)
    if folder is None:
        return njit(**options)(function)
    # numba chooses the place while it decorates
    with _decorating:
        before = _settings.CACHE_DIR, _settings.CACHE_LOCATOR_CLASSES
        _settings.CACHE_DIR, _settings.CACHE_LOCATOR_CLASSES = str(folder), _LOCATOR
        try:
            return njit(cache=True, **options)(function)
        finally:
            _settings.CACHE_DIR, _settings.CACHE_LOCATOR_CLASSES = before


@cache
def _digest_folder(beside: Path) -> Path | None:
    """Where machine code of kernels in the folder `beside` is kept, marked as used today; None where nothing can be."""
    parent = kernel_cache_folder()
    if parent is None:
        return None
    folder = parent / f"kernels-{kernel_digest(beside)}"
    try:
        folder.mkdir(exist_ok=True)
        os.utime(folder)
    except OSError:
        return None
    _prune(parent)
    return folder


def _prune(parent: Path) -> None:
    """Remove the folders of other kernels that no process has used for 30 days; never fails."""
    oldest = time.time() - _KEPT_S
    try:
        for path in parent.iterdir():
            if _OURS.fullmatch(path.name) and path.stat().st_mtime < oldest:
                shutil.rmtree(path, ignore_errors=True)
    except OSError:
        # another process removes it too
        pass
