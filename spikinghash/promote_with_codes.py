"""Promotion of a version that the archive has codes of: hashed beside nights, looked at again as the alias moves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spikinghash.backfill import backfill, build_index_of, lacking_codes
from spikinghash.codes.encode_report import EncodeReport
from spikinghash.codes.signals import Stop
from spikinghash.codes.todo import Progress
from spikinghash.errors import ConfigError
from spikinghash.redact import redact
from spikinghash.run_lock import run_lock
from spikinghash.tracking.promotion import check_gate, promote, said_why
from spikinghash.tracking.promotion_log import Entry
from spikinghash.tracking.registry import load_registered

#: Whoever holds it has the archive to itself: nights, and promotions while they change the champion.
ARCHIVE_LOCK = "archive"


def promote_with_codes(
    place: tuple[str, str], version: int, reason: str, override: str | None, db: str, archives: Sequence[Path], *,
    runs: Path, wait_s: float = 0.0, progress: Progress | None = None, stop: Stop | None = None,
) -> tuple[Entry, EncodeReport | None]:  # fmt: skip
    """Hash `archives` with a version, index it, and make it champion; the log's entry and what was hashed.

    Hashing goes on beside a night; the change waits up to `wait_s` for its end, and hashes what it brought. Errors of
    `promote` and of `backfill`; `ConfigError` where recordings of the champion would have no code, `Temporary` while a
    night has the archive.
    """
    reason, override = said_why(reason, override)
    check_gate(*place, version, override)
    model = load_registered(place[0], f"models:/{place[1]}/{version}")
    done = backfill(model, db, archives, progress=progress, stop=stop) if archives else None
    with run_lock(runs, ARCHIVE_LOCK, wait_s, run="promote"):
        lacking, there = lacking_codes(place, model.digest, db)
        if lacking and archives:
            backfill(model, db, archives, progress=progress, stop=stop)
            lacking, there = lacking_codes(place, model.digest, db)
        if lacking:
            raise ConfigError(
                f"{redact(db)}: {lacking} of {there} recordings of the champion have no code of version {version} yet, "
                "and searches would miss them; name their folders with --archive"
            )
        build_index_of(model.digest, db)
        return promote(*place, version, reason, override), done
