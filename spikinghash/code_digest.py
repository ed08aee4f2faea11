"""Which code a model was registered by: a digest of the sources of this package."""

from __future__ import annotations

import hashlib
from pathlib import Path

_PACKAGE = Path(__file__).parent
_DIGITS = 16


def code_digest() -> str:
    """16 hex digits over the Python files of the installed package, by path and content."""
    known = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py"), key=lambda path: path.relative_to(_PACKAGE).as_posix()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        known.update(f"{path.relative_to(_PACKAGE).as_posix()} {content}\n".encode())
    return known.hexdigest()[:_DIGITS]
