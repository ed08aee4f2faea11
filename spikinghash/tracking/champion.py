"""The model in use, where there is one."""

from __future__ import annotations

from spikinghash.tracking.head import CHAMPION, read_head
from spikinghash.tracking.registry import load_registered
from spikinghash.tracking.registry_errors import registry_errors
from spikinghash.tracking.run import client_for
from spikinghash.tracking.version_tags import DIGEST
from spikinghash.tracking.versions import versions_of
from spikinghash.training.checkpoint import LoadedModel


def champion_version(uri: str, name: str) -> int | None:
    """The version that is champion of a registered model, None where none is, or nothing is registered."""
    client = client_for(uri, create=True)
    with registry_errors(uri):
        return read_head(client, uri, name).champion if versions_of(client, name) else None


def champion_digest(uri: str, name: str) -> tuple[int, str | None] | None:
    """The champion's version and its model's digest, which older programs did not tag it with; None for no champion."""
    client = client_for(uri)
    with registry_errors(uri):
        version = read_head(client, uri, name).champion
        if version is None:
            return None
        return version, client.get_model_version(name, str(version)).tags.get(DIGEST)


def champion_of(uri: str, name: str) -> LoadedModel | None:
    """The champion of a registered model, None where no version is, or nothing is registered; errors of loading."""
    if champion_version(uri, name) is None:
        return None
    return load_registered(uri, f"models:/{name}@{CHAMPION}")
