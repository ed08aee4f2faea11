"""Codes of an archive under a new model, before that model is the champion: no search ever meets one without codes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.discover import discover
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.codes.encode_report import EncodeReport
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.signals import Stop
from spikinghash.codes.todo import Progress
from spikinghash.errors import Temporary
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.index.flat import build_index
from spikinghash.index.index_folder import index_folder
from spikinghash.tracking.champion import champion_of
from spikinghash.tracking.registry import load_registered


def backfill(
    place: tuple[str, str], version: int, db: str, archives: Sequence[Path], *, progress: Progress | None = None,
    stop: Stop | None = None,
) -> EncodeReport:  # fmt: skip
    """Hash the recordings of `archives` with a version of the registry at `place` (address, name).

    `Temporary` where a signal stopped it; what was hashed stays.
    """
    database, model = CodeDatabase.create_or_open(db), load_registered(place[0], f"models:/{place[1]}/{version}")
    with IsolatedDecoder() as decoder:
        files = discover(archives, leave_out=[db])
        report = encode_recordings(files, Encoder(model), database, decode=decoder.stream, progress=progress, stop=stop)
    if report.pending:
        raise Temporary(f"{database.shown}: stopped with {report.pending} recordings pending; run it again")
    return report


def lacking_codes(place: tuple[str, str], version: int, db: str) -> tuple[int, int]:
    """How many recordings of the champion have no code of a version, and how many there are.

    What the version refuses stands in the quarantine and counts as seen.
    """
    uri, name = place
    database, champion = CodeDatabase.open(db), champion_of(uri, name)
    model = load_registered(uri, f"models:/{name}/{version}").digest
    there = set() if champion is None else database.committed_recordings(champion.digest)
    lacking = there - database.committed_recordings(model)
    return len(lacking - set(database.quarantined(model).column("sha256").to_pylist())), len(there)


def build_index_of(place: tuple[str, str], version: int, db: str) -> None:
    """Build the index of a version beside a local database, where it has codes."""
    database, model = CodeDatabase.open(db), load_registered(place[0], f"models:/{place[1]}/{version}").digest
    folder = index_folder(db, model)
    if folder is not None and model in database.models():
        build_index(database.load(model), folder)
