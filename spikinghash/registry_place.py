"""Where the registry of a project is."""

from __future__ import annotations

from pathlib import Path

from spikinghash.project_params import load_project


def registry_place(uri: str | None = None, name: str | None = None) -> tuple[str, str]:
    """Address of the registry and name of the registered model; what is not given is read from params.yaml."""
    if uri is not None and name is not None:
        return uri, name
    tracking = load_project(Path("params.yaml")).tracking
    return uri or tracking.uri, name or tracking.experiment
