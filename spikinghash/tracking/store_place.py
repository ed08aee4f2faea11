"""Where a registry keeps its files: a local one is a folder that may be moved or copied as a whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from spikinghash.errors import BadCheckpoint, ConfigError
from spikinghash.redact import redact

_SQLITE = "sqlite:///"
_MAGIC = b"SQLite format 3\x00"
#: Folders that artifacts lie in, beside the database: ours, and what MLflow chose for older registries.
_ROOTS = ("mlartifacts", "mlruns")


def database_file(uri: str) -> Path | None:
    """The SQLite file of a local registry, None for a server."""
    return Path(uri.removeprefix(_SQLITE)).absolute() if uri.startswith(_SQLITE) else None


def require_database(uri: str) -> None:
    """`ConfigError` for a local registry that is not there or is no database; reading one must not create it."""
    file = database_file(uri)
    if file is None:
        return
    try:
        with file.open("rb") as stream:
            head = stream.read(len(_MAGIC))
    except FileNotFoundError:
        raise ConfigError(f"registry {redact(uri)}: there is no {file}; `spikinghash registry add` makes it") from None
    except OSError as error:
        raise ConfigError(f"registry {redact(uri)}: {file} cannot be read: {error.strerror}") from None
    if head != _MAGIC:
        raise ConfigError(f"registry {redact(uri)}: {file} is no SQLite database; correct tracking.uri in params.yaml")


def experiment_id(client: Any, uri: str, name: str) -> str:
    """The experiment that new runs belong to, made if it is not there.

    The artifacts of a local registry lie beside its database. An experiment that would write elsewhere, as after a
    move of the project, is renamed and a new one takes its place.
    """
    file, found = database_file(uri), client.get_experiment_by_name(name)
    if found is not None and found.lifecycle_stage == "deleted":
        raise ConfigError(
            f"registry {redact(uri)}: the experiment {name!r} was deleted; restore it or choose another name"
        )
    if file is None:
        return str(found.experiment_id if found else client.create_experiment(name))
    if found is not None:
        place = local_path(found.artifact_location)
        if place is None or place.is_relative_to(file.parent):
            return str(found.experiment_id)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        client.rename_experiment(found.experiment_id, f"{name} (moved, until {stamp})")
    place = file.parent / _ROOTS[0] / "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return str(client.create_experiment(name, artifact_location=place.as_uri()))


def source_of(version: Any, uri: str, artifacts: str | None) -> str:
    """Where the files of a model version lie now.

    Files of a local registry lie beside its database, also after both were moved, or with their run or logged model,
    whose place is `artifacts`; None: they must not be taken from there. `BadCheckpoint` for a source elsewhere on this
    machine, which may be anybody's files.
    """
    file, stored = database_file(uri), str(version.source)
    place = local_path(stored)
    if place is None:
        return stored
    name = f"{version.name} version {version.version}"
    if file is None:
        if artifacts is not None and f"{stored}/".startswith(artifacts.rstrip("/") + "/"):
            return stored
        raise BadCheckpoint(f"{name}: its source {stored} is a path on this machine, not in the registry {redact(uri)}")
    home = file.parent.resolve()
    if ".." in place.parts:
        raise BadCheckpoint(f"{name}: its source {stored} leads out of the registry's folder {home}")
    candidates = [place, *(home.joinpath(*place.parts[i:]) for i, p in enumerate(place.parts) if p in _ROOTS)]
    for candidate in candidates:
        if candidate.resolve().is_relative_to(home) and candidate.is_dir():
            return str(candidate)
    run = None if artifacts is None else local_path(artifacts)
    if run is not None and place.is_relative_to(run) and place.is_dir():
        return stored
    raise BadCheckpoint(
        f"{name}: no files at {candidates[-1]}; a model of the registry {redact(uri)} lies below {home}: move them "
        "there, or register it again with `spikinghash registry add`"
    )


def local_path(address: str) -> Path | None:
    """The path of a local address, None for one in a store or on a server."""
    parsed = urlparse(address)
    if parsed.scheme == "file":
        return Path(unquote(parsed.path))
    return Path(address) if parsed.scheme == "" else None
