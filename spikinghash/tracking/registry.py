"""Models in the MLflow registry: versions point at artifacts of a run, aliases name the ones in use."""

from __future__ import annotations

import re
from pathlib import Path

from spikinghash.errors import BadCheckpoint
from spikinghash.tracking.run import client_for

_REF = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")


def register(uri: str, name: str, run_id: str, artifact: str, *, alias: str = "challenger") -> str:
    """Make the artifact folder of a run a new version of `name` and point `alias` at it; returns the version."""
    from mlflow.exceptions import MlflowException

    client = client_for(uri)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{client.get_run(run_id).info.artifact_uri}/{artifact}"
    version = str(client.create_model_version(name, source=source, run_id=run_id).version)
    client.set_registered_model_alias(name, alias, version)
    return version


def fetch(uri: str, ref: str, folder: Path) -> Path:
    """Bring the files of `models:/NAME@alias` or `models:/NAME/VERSION` into `folder`; where in it they lie.

    The files are ours (safetensors and JSON) and are loaded by our own loader, never by MLflow's. Raises
    `BadCheckpoint` for an unknown name, alias or version.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    match = _REF.fullmatch(ref)
    if match is None:
        raise BadCheckpoint(f"{ref!r} is no model reference; write models:/NAME@alias or models:/NAME/VERSION")
    client = client_for(uri)
    try:
        if match["alias"]:
            version = client.get_model_version_by_alias(match["name"], match["alias"])
        else:
            version = client.get_model_version(match["name"], match["version"])
        return Path(download_artifacts(artifact_uri=version.source, dst_path=str(folder), tracking_uri=uri))
    except MlflowException as error:
        raise BadCheckpoint(f"{ref}: {str(error).splitlines()[0]} (registry {uri})") from None
