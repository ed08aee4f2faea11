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
from spikinghash.errors import ConfigError, Temporary
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.index.flat import build_index
from spikinghash.index.index_folder import index_folder
from spikinghash.tracking.champion import champion_of
from spikinghash.tracking.registry import load_registered


def backfill(
    place: tuple[str, str], version: int, db: str, archives: Sequence[Path], *, progress: Progress | None = None,
    stop: Stop | None = None,
) -> EncodeReport | None:  # fmt: skip
    """Hash the recordings of `archives` with a version, index its codes, and see that none of the champion's lacks one.

    Returns what was done with the archives, None where none was named.
    `ConfigError` where some do: they lie elsewhere, or were not hashed yet. `Temporary` where a signal stopped it; what
    was hashed stays. What the new model refuses stands in the quarantine and counts as seen.
    """
    uri, name = place
    database, model = CodeDatabase.open(db), load_registered(uri, f"models:/{name}/{version}")
    report = None
    if archives:
        with IsolatedDecoder() as decoder:
            files = discover(archives, leave_out=[db])
            report = encode_recordings(
                files, Encoder(model), database, decode=decoder.stream, progress=progress, stop=stop
            )
        if report.pending:
            raise Temporary(f"{database.shown}: stopped with {report.pending} recordings pending; run it again")
    champion = champion_of(uri, name)
    there = set() if champion is None else database.committed_recordings(champion.digest)
    lacking = there - database.committed_recordings(model.digest)
    lacking -= set(database.quarantined(model.digest).column("sha256").to_pylist())
    if lacking:
        raise ConfigError(
            f"{database.shown}: {len(lacking)} of {len(there)} recordings of the champion have no code of version "
            f"{version} yet, and searches would miss them; name their folders with --archive"
        )
    folder = index_folder(db, model.digest)
    if folder is not None and model.digest in database.models():
        build_index(database.load(model.digest), folder)
    return report
