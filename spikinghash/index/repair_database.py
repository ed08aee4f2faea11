"""A repair of the database and of the indexes beside it, which know versions and clips of before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spikinghash.codes.address import database_address
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.repair import repair
from spikinghash.codes.table_files import folder_of
from spikinghash.errors import BadStore, StaleModel
from spikinghash.index.approximate import ABOUT_FILE, STRUCTURE_FILE
from spikinghash.index.flat import HammingIndex
from spikinghash.index.manifest import CLIPS_FILE, INDEX_FILE, MANIFEST_FILE


def repair_database(place: str, storage_options: dict[str, str] | None = None) -> dict[str, Any]:
    """Repair the database at `place`; what `codes.repair` did as JSON, and the `indexes` that were removed.

    An index that holds clips the table has no more also names their recordings, which the lost files cannot.
    """
    database = CodeDatabase(database_address(place), storage_options or {})
    repaired = repair(database)
    removed = []
    for folder in index_folders(database):
        try:
            index = HammingIndex.load(folder)
            known = index.manifest
            if database.load_beyond(known.model, known.covers, known.rows, known.database_version) is not None:
                continue
            if repaired.files:
                repaired.recordings += _gone(index, database)
        except (BadStore, StaleModel):
            pass  # of no use to anybody
        for name in (MANIFEST_FILE, INDEX_FILE, CLIPS_FILE, ABOUT_FILE, STRUCTURE_FILE):
            (folder / name).unlink(missing_ok=True)
        removed.append(str(folder))
    repaired.recordings = sorted(set(repaired.recordings))
    return repaired.to_json() | {"indexes": removed, "changed": repaired.changed or bool(removed)}


def index_folders(database: CodeDatabase) -> list[Path]:
    """Folders of the indexes that lie beside the tables, where `spikinghash index` puts them."""
    folder = folder_of(database.uri)
    if folder is None or (folder / "index").is_symlink():
        return []
    return sorted(path.parent for path in (folder / "index").glob(f"*/{MANIFEST_FILE}") if not path.parent.is_symlink())


def _gone(index: HammingIndex, database: CodeDatabase) -> list[str]:
    """Recordings of the clips that the index knows and the database no longer has."""
    there = database.committed_ids(index.manifest.model)
    ids = index.clips.column("clip_id").to_pylist()
    recordings = index.clips.column("recording").to_pylist()
    return [name for clip_id, name in zip(ids, recordings, strict=True) if clip_id not in there]
