"""Models in the MLflow registry: versions point at artifacts of a run, aliases name the ones in use."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikinghash.errors import BadCheckpoint, BadStore
from spikinghash.redact import redact
from spikinghash.tracking.logged_model import files_of
from spikinghash.tracking.promotion_log import promoted_digest, read_log
from spikinghash.tracking.registry_errors import registry_errors
from spikinghash.tracking.run import client_for
from spikinghash.tracking.store_place import source_of
from spikinghash.tracking.version_tags import DIGEST, LOGGED_MODEL
from spikinghash.training.checkpoint import LoadedModel, load_model

_REF = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")


def register(uri: str, name: str, run_id: str, artifact: str, *, alias: str = "challenger") -> str:
    """Make the model that a run logged, or its folder `artifact`, a new version of `name`, with the run's tags.

    Points `alias` at it and returns the version.
    """
    from mlflow.exceptions import MlflowException

    client = client_for(uri, create=True)
    with registry_errors(uri):
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        run = client.get_run(run_id)
        source, model_id = files_of(client, run, artifact)
        tags = {key: value for key, value in run.data.tags.items() if not key.startswith("mlflow.")}
        made = client.create_model_version(name, source=source, run_id=run_id, tags=tags, model_id=model_id)
        version = str(made.version)
        client.set_registered_model_alias(name, alias, version)
    return version


def fetch(uri: str, ref: str, folder: Path) -> Path:
    """Bring the files of `models:/NAME@alias` or `models:/NAME/VERSION` into `folder`; where in it they lie.

    Raises `BadCheckpoint` for an unknown name, alias or version, and `Temporary` for a registry that does not answer.
    """
    client = client_for(uri)
    version = _version(client, uri, ref)
    source = _source(client, uri, version, _expected(client, uri, version))
    return _download(uri, version, source, folder)


def load_registered(uri: str, ref: str) -> LoadedModel:
    """The model of a reference; the files are ours (safetensors and JSON), loaded by our own loader, not MLflow's.

    Errors as `fetch`, and `BadCheckpoint` where the files are not those that were registered and promoted.
    """
    client = client_for(uri)
    version = _version(client, uri, ref)
    expected = _expected(client, uri, version)
    # a loaded model needs its files no more
    with tempfile.TemporaryDirectory(prefix="spikinghash-model-") as folder:
        try:
            source = _source(client, uri, version, expected)
            model = load_model(_download(uri, version, source, Path(folder)))
        except BadStore as error:
            raise BadCheckpoint(str(error)) from None
        except BadCheckpoint as error:
            # the folder is ours and gone by then: name the version instead
            place = f"{version.name}: version {version.version} does not load: "
            raise BadCheckpoint(place + str(error).replace(f"{folder}/", "")) from None
    for what, digest in expected.items():
        if digest is not None and digest != model.digest:
            raise BadCheckpoint(
                f"{version.name}: version {version.version} holds model {model.digest}, but {digest} was {what}: its "
                "files were replaced; register the model again, or restore the files"
            )
    return model


def _expected(client: Any, uri: str, version: Any) -> dict[str, str | None]:
    """Digests that the registry knows of a version, by how it came to know them."""
    with registry_errors(uri):
        model = client.get_registered_model(version.name)
        champion = model.aliases.get("champion")
        log = read_log(dict(model.tags), None if champion is None else int(champion))
        run = client.get_run(version.run_id) if version.run_id and DIGEST not in version.tags else None
    evaluated = None if run is None else run.data.tags.get(DIGEST)
    return {
        "registered": version.tags.get(DIGEST), "evaluated": evaluated,
        "promoted": promoted_digest(log, int(version.version)),
    }  # fmt: skip


def _version(client: Any, uri: str, ref: str) -> Any:
    from mlflow.exceptions import MlflowException

    match = _REF.fullmatch(ref)
    if match is None:
        raise BadCheckpoint(f"{ref!r} is no model reference; write models:/NAME@alias or models:/NAME/VERSION")
    with registry_errors(uri):
        try:
            if match["alias"]:
                return client.get_model_version_by_alias(match["name"], match["alias"])
            return client.get_model_version(match["name"], match["version"])
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            how = (
                "; review with `spikinghash registry list`, then `spikinghash registry promote VERSION --reason TEXT`"
                if match["alias"] == "champion"
                else ""
            )
            raise BadCheckpoint(f"{ref}: {str(error).splitlines()[0]} (registry {redact(uri)}){how}") from None


def _source(client: Any, uri: str, version: Any, expected: Mapping[str, str | None]) -> str:
    """Where its files lie; outside the registry's folder only where we can tell that they are the right ones."""
    known = any(digest is not None for digest in expected.values())
    with registry_errors(uri):
        run = client.get_run(version.run_id) if version.run_id and known else None
        place = None if run is None else str(run.info.artifact_uri)
        if known and LOGGED_MODEL in version.tags:
            place = str(client.get_logged_model(version.tags[LOGGED_MODEL]).artifact_location)
    return source_of(version, uri, place)


def _download(uri: str, version: Any, source: str, folder: Path) -> Path:
    from mlflow.artifacts import download_artifacts

    with registry_errors(uri):
        try:
            return Path(download_artifacts(artifact_uri=source, dst_path=str(folder), tracking_uri=uri))
        except OSError as error:
            raise BadCheckpoint(f"version {version.version}: its files cannot be read from {source}: {error}") from None
