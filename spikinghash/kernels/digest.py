"""The digest of kernel sources: which machine code this is."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

DIGITS = 16
_KERNELS = Path(__file__).parent


@cache
def kernel_digest(beside: Path = _KERNELS) -> str:
    """16 hexadecimal digits of SHA-256 over the names and bytes of all Python files below this folder.

    For kernels of another folder the files of that folder, `beside`, count too.
    """
    files = {path.relative_to(_KERNELS).as_posix(): path for path in _KERNELS.rglob("*.py")}
    if not beside.is_relative_to(_KERNELS):
        files |= {f"../{path.name}": path for path in beside.glob("*.py")}
    total = hashlib.sha256()
    for name in sorted(files):
        content = files[name].read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:DIGITS]
