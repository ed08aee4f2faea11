"""Where the index of a model lies by default: beside the database, one folder a model."""

from __future__ import annotations

import re
from pathlib import Path

from spikinghash.errors import BadStore
from spikinghash.remote_store import is_address


def index_folder(db: str, model: str) -> Path | None:
    """Where the index of a model lies by default; None beside an object store.

    `BadStore` where a foreign database would have it lie elsewhere.
    """
    if is_address(db):
        return None
    if not re.fullmatch(r"[0-9a-f]{16,64}", model):
        raise BadStore(f"{db} holds codes of {model!r}, which is no digest of a model; say where the index goes: --out")
    folder = Path(db) / "index" / model
    for place in (folder, folder.parent):
        if place.is_symlink():
            raise BadStore(f"{place}: is a link to another folder; remove it, or say where the index goes: --out")
    return folder
