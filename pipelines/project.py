"""The project that flows work on: the folder they were served from, and no other."""

from __future__ import annotations

import os
from pathlib import Path

from prefect.runtime import deployment

from pipelines import PROJECT
from spikinghash.codes.address import SCHEMES
from spikinghash.errors import ConfigError
from spikinghash.params import load_params
from spikinghash.redact import redact
from spikinghash.remote_store import is_address
from spikinghash.tracking.store_place import database_file

#: Where the curated pipeline leaves things, and what runs keep for one another.
PARAMS, RUNS = Path("params.yaml"), Path(".runs")
FRAMES, MODEL, REPORTS = Path("data/frames"), Path("data/models/default"), Path("reports")
#: Further folders that a served flow may be given, separated as in PATH; set by whoever serves the flows.
ALLOWED = "SPIKINGHASH_FOLDERS"


#: What may lie in an object store, and the stores there are.
_REMOTE, _STORES = frozenset({"landing", "db"}), SCHEMES - {"file", "memory"}


def allowed_registry(name: str, uri: str | None) -> None:
    """`ConfigError` for a registry that this flow run may not name: the project's own, or a file below the project."""
    if deployment.id is None or uri is None or uri == load_params(PARAMS).tracking.uri:
        return
    file = database_file(uri)
    if file is None:
        raise ConfigError(f"{name} {redact(uri)!r} is not the registry of this project; leave it out")
    allowed_place(name, str(file))


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
    scheme = place.partition("://")[0].lower() if is_address(place) else None
    if deployment.id is None or (name in _REMOTE and scheme in _STORES):
        return place
    if scheme is not None:
        raise ConfigError(f"{name} {redact(place)!r} is no folder of the project {Path.cwd()}")
    homes = [Path.cwd(), *(Path(p) for p in os.environ.get(ALLOWED, "").split(os.pathsep) if p)]
    if any(Path(place).resolve().is_relative_to(home.resolve()) for home in homes):
        return place
    raise ConfigError(
        f"{name} {place!r} lies outside the project {Path.cwd()}; serve the flows with {ALLOWED}={place} to allow it"
    )
