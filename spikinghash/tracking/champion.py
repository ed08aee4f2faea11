"""The model in use, where there is one."""

from __future__ import annotations

from spikinghash.tracking.head import CHAMPION, read_head
from spikinghash.tracking.registry import load_registered
from spikinghash.tracking.registry_errors import registry_errors
from spikinghash.tracking.run import client_for
from spikinghash.tracking.versions import versions_of
from spikinghash.training.checkpoint import LoadedModel


def champion_of(uri: str, name: str) -> LoadedModel | None:
    """The champion of a registered model, None where no version is, or nothing is registered; errors of loading."""
    client = client_for(uri, create=True)
    with registry_errors(uri):
        if not versions_of(client, name) or read_head(client, uri, name).champion is None:
            return None
    return load_registered(uri, f"models:/{name}@{CHAMPION}")
