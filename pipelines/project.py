"""The project that flows work on: the folder they were served from, and no other."""

from __future__ import annotations

import os
from pathlib import Path

from prefect.runtime import deployment

from pipelines import PROJECT
from spikinghash.codes.remote_store import is_address
from spikinghash.errors import ConfigError

#: Further folders that a served flow may be given, separated as in PATH; set by whoever serves the flows.
ALLOWED = "SPIKINGHASH_FOLDERS"


def enter_project() -> None:
    """Make the project the current directory, where a flow run was started by the service."""
    if deployment.id is not None and PROJECT in os.environ:
        os.chdir(os.environ[PROJECT])


def allowed_place(name: str, place: str) -> str:
    """`place` as given, if the parameter `name` of this flow run may name it; `ConfigError` if not.

    Whoever reaches the server's API chooses the parameters of a served flow, so those name folders below the project,
    or below the folders of `SPIKINGHASH_FOLDERS`. A flow called from Python may name any.
    """
    if not place:
        raise ConfigError(f"{name} is empty; name a folder")
    if deployment.id is None or is_address(place):
        return place
    homes = [Path.cwd(), *(Path(p) for p in os.environ.get(ALLOWED, "").split(os.pathsep) if p)]
    if any(Path(place).resolve().is_relative_to(home.resolve()) for home in homes):
        return place
    raise ConfigError(
        f"{name} {place!r} lies outside the project {Path.cwd()}; serve the flows with {ALLOWED}={place} to allow it"
    )
