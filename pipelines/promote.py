"""Promote: make a reviewed version the champion, from the Prefect page as from the command line."""

from __future__ import annotations

from typing import Any

from prefect import flow

from pipelines.project import allowed_registry, enter_project
from spikinghash.model_ref import registry_place
from spikinghash.tracking.promotion import promote as make_champion


@flow(name="promote", log_prints=True)
def promote(
    version: int, reason: str, override: str | None = None, uri: str | None = None, name: str | None = None
) -> dict[str, Any]:
    """Make `version` champion; returns the entry of the promotion log.

    A version that the gate refused needs `override`, which says why.
    `uri` and `name` default to `tracking` in params.yaml. Fails with the command's one line for what it refuses.
    """
    enter_project()
    allowed_registry("uri", uri)
    entry = make_champion(*registry_place(uri, name), version, reason, override)
    before = "none" if entry.source is None else f"version {entry.source}"
    print(f"champion is version {entry.to}, before {before}: {entry.reason}")  # noqa: T201  becomes a Prefect log line
    return entry.to_json()
