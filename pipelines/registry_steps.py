"""What a night does with the registry besides asking it for the champion; none of it fails the night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.project import FRAMES, MODEL, PARAMS, REPORTS, RUNS
from spikinghash.errors import SpikinghashError
from spikinghash.model_in_use import note_champion
from spikinghash.params import Params
from spikinghash.project_params import load_project
from spikinghash.redact import redact
from spikinghash.registry_place import registry_place
from spikinghash.tracking.champion import champion_digest
from spikinghash.tracking.moved_by_hand import record_moved
from spikinghash.tracking.night_log import log_nights
from spikinghash.visible import visible
from spikinghash.waiting_model import register_waiting


def register_what_waits() -> None:
    """Judge and register a model that a retrain could not."""
    if not PARAMS.is_file():
        return
    try:
        params = load_project(PARAMS)
        added = register_waiting(params, MODEL, FRAMES, REPORTS, RUNS) if isinstance(params, Params) else None
    except SpikinghashError as error:
        print(f"the model that waits is not registered yet: {visible(redact(str(error)))}")  # noqa: T201
    else:
        if added is not None:
            print(f"version {added.version} is challenger: model {added.digest}, which waited")  # noqa: T201


def notice(model: str) -> dict[str, Any] | None:
    """Take down a champion that was changed past the log, and return that entry; hashing does not fail because the
    registry is read-only.
    """
    if not model.startswith("models:/") or "@" not in model:
        return None
    try:
        place = registry_place(name=model.removeprefix("models:/").partition("@")[0])
        if (champion := champion_digest(*place)) is not None:
            note_champion(place, *champion)
        moved = record_moved(*place)
    except SpikinghashError as error:
        print(f"the promotion log was not looked at: {visible(redact(str(error)))}")  # noqa: T201
        return None
    if moved is None:
        return None
    print(f"version {moved.to} became champion past the promotion log; it says so now")  # noqa: T201
    return moved.to_json()


def log(tracking: str, reports: str) -> None:
    """Bring the nights in `reports` to MLflow; hashing does not fail because that does not answer."""
    try:
        count = log_nights(tracking, "nightly", Path(reports))
    except SpikinghashError as error:
        print(f"not in MLflow yet, a later night brings it: {visible(redact(str(error)))}")  # noqa: T201
    else:
        print(f"{count} nights logged")  # noqa: T201  becomes a Prefect log line
