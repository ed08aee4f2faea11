"""Spiking hashing of event-camera recordings: raw events to frames to packed codes to neighbours.

    from spikinghash import Hasher

    hasher = Hasher.load("data/models/default")
    codes = hasher.encode("folder/of/recordings")
    print(hasher.search("one/recording.raw", codes, k=10))

The names in `__all__` are the public ones. Each is imported at first use, so that `import spikinghash` costs nothing.
What a user's input can cause are the errors of `spikinghash.errors`.
"""

from __future__ import annotations

import sys

# `python -m spikinghash` puts the current directory first, where recordings may lie, and so may a `json.py` among them
if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    del sys.path[0]

import importlib
from typing import TYPE_CHECKING, Any

from spikinghash.kernels.cache_folder import kernel_cache_folder

if TYPE_CHECKING:
    from spikinghash.api.codes import Codes
    from spikinghash.api.database import CodeDatabase
    from spikinghash.api.frame import frame
    from spikinghash.api.hits import Hits
    from spikinghash.events.events import Events
    from spikinghash.events.reader import read_recording
    from spikinghash.hasher import Hasher

    __version__: str

__all__ = ["CodeDatabase", "Codes", "Events", "Hasher", "Hits", "__version__", "frame", "read_recording"]

#: Where the public names are at home.
_HOMES = {
    "CodeDatabase": "spikinghash.api.database",
    "Codes": "spikinghash.api.codes",
    "Events": "spikinghash.events.events",
    "Hasher": "spikinghash.hasher",
    "Hits": "spikinghash.api.hits",
    "frame": "spikinghash.api.frame",
    "read_recording": "spikinghash.events.reader",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use (PEP 562)."""
    if name == "__version__":
        from spikinghash.version import package_version

        value: Any = package_version()
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# before any child is started: what it says is said once
kernel_cache_folder()
