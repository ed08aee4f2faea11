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
from spikinghash.training.checkpoint import LoadedModel


def backfill(
    model: LoadedModel, db: str, archives: Sequence[Path], *, progress: Progress | None = None, stop: Stop | None = None
) -> EncodeReport:
    """Hash the recordings of `archives`. `Temporary` where a signal stopped it; what was hashed stays."""
    database = CodeDatabase.create_or_open(db)
    with IsolatedDecoder() as decoder:
        files = discover(archives, leave_out=[db])
        report = encode_recordings(files, Encoder(model), database, decode=decoder.stream, progress=progress, stop=stop)
    if report.pending:
        raise Temporary(f"{database.shown}: stopped with {report.pending} recordings pending; run it again")
    return report


def lacking_codes(place: tuple[str, str], model: str, db: str) -> tuple[int, int]:
    """How many recordings of the champion at `place` (address, name) have no code of a model, known by its digest, and
    how many there are.

    What the model refuses stands in the quarantine and counts as seen.
    """
    database, champion = CodeDatabase.open(db), champion_of(*place)
    there = set() if champion is None else database.committed_recordings(champion.digest)
    lacking = there - database.committed_recordings(model)
    return len(lacking - set(database.quarantined(model).column("sha256").to_pylist())), len(there)


def build_index_of(model: str, db: str) -> None:
    """Build the index of a model, known by its digest, beside a local database, where it has codes."""
    database, folder = CodeDatabase.open(db), index_folder(db, model)
    if folder is not None and model in database.models():
        build_index(database.load(model), folder)
