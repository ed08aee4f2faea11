"""Promote: make a reviewed version the champion, from the Prefect page as from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow

from pipelines.project import RUNS, allowed_place, allowed_registry, enter_project
from spikinghash.model_in_use import note_champion
from spikinghash.progress import progress_bar
from spikinghash.promote_with_codes import promote_with_codes
from spikinghash.registry_place import registry_place
from spikinghash.remote_store import is_address
from spikinghash.tracking.promotion import promote as make_champion


@flow(name="promote", log_prints=True)
def promote(
    version: int,
    reason: str,
    override: str | None = None,
    uri: str | None = None,
    name: str | None = None,
    db: str | None = "data/archive",
    archives: list[str] = ["data/landing"],  # noqa: B006  Prefect shows it as the default, and nobody changes it
    wait_s: float = 0.0,
) -> dict[str, Any]:
    """Make `version` champion; returns the entry of the promotion log.

    A version that the gate refused needs `override`, which says why. Recordings in the folders `archives` that are
    there are hashed with it first, and none that the champion has codes of in `db` may lack one; without an archive
    there is nothing to look at. `uri` and `name` default to `tracking` in params.yaml. A night at work is waited for
    up to `wait_s`. Fails with the command's one line for what it refuses.
    """
    enter_project()
    allowed_registry("uri", uri)
    place = registry_place(uri, name)
    folders = [Path(allowed_place("archives", folder)) for folder in archives]
    there = [folder for folder in folders if folder.exists()]
    if db is None or not (there or is_address(db) or Path(db).exists()):
        entry = make_champion(*place, version, reason, override)
    else:
        with progress_bar("backfill") as progress:
            entry, done = promote_with_codes(
                place, version, reason, override, allowed_place("db", db), there, runs=RUNS, wait_s=wait_s,
                progress=progress,
            )  # fmt: skip
        if done is not None:
            print(f"{done.committed} hashed, {done.skipped} known, {done.quarantined} refused")  # noqa: T201
    note_champion(place, entry.to, entry.digest)
    before = "none" if entry.source is None else f"version {entry.source}"
    print(f"champion is version {entry.to}, before {before}: {entry.reason}")  # noqa: T201  becomes a Prefect log line
    return entry.to_json()
