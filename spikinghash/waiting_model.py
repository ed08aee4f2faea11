"""A model that was trained while the registry did not answer: it waits in its folder, and is registered once, later."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.files import write_json
from spikinghash.judge_model import judge_model
from spikinghash.params import Params
from spikinghash.register_model import register_model
from spikinghash.run_lock import run_lock
from spikinghash.tracking.add_model import Added
from spikinghash.training.checkpoint import load_model

_WAITING = "waiting-model.json"


def leave_waiting(runs: Path, model: Path) -> None:
    """Say in the folder `runs` that the model in a folder is not registered yet."""
    write_json(runs / _WAITING, {"digest": load_model(model).digest})


def nothing_waits(runs: Path) -> None:
    """Take back what `leave_waiting` said."""
    (runs / _WAITING).unlink(missing_ok=True)


def register_waiting(
    params: Params, model: Path, frames: Path, reports: Path, runs: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Added | None:  # fmt: skip
    """Judge and register the model that waits; None where none does.

    `Temporary` while a retrain runs, which registers what it makes itself, and while the registry does not answer: it
    goes on waiting. `ConfigError` where another model lies there by now; then nothing waits any more.
    """
    if not (runs / _WAITING).exists():
        return None
    with run_lock(runs, "retrain", run="registration"):
        waiting, there = json.loads((runs / _WAITING).read_bytes())["digest"], load_model(model).digest
        if waiting != there:
            nothing_waits(runs)
            raise ConfigError(
                f"model {waiting} waited for the registry, but {model} holds {there} now; look at it and run "
                "`spikinghash registry add`"
            )
        place = params.tracking.uri, params.tracking.experiment
        verdict = judge_model(params, model, frames, reports, place, progress)
        added = register_model(params, model, reports, place, verdict.to_dict())
        nothing_waits(runs)
        return added
