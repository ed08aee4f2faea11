"""The digest of kernel sources: which machine code this is."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

DIGITS = 16
_KERNELS = Path(__file__).parent
_PACKAGE = _KERNELS.parent


@cache
def kernel_digest(beside: Path = _KERNELS) -> str:
    """16 hexadecimal digits of SHA-256 over the names and bytes of all Python files in folders named `kernels`.

    For kernels of another folder, as those of decoders, the files of that folder, `beside`, count too.
    """
    paths = {*_KERNELS.rglob("*.py"), *_PACKAGE.glob("*/kernels/*.py"), *beside.glob("*.py")}
    total = hashlib.sha256()
    for name, path in sorted((Path(os.path.relpath(path, _PACKAGE)).as_posix(), path) for path in paths):
        content = path.read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:DIGITS]
