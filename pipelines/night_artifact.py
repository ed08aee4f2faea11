"""The night report on Prefect's page."""

from __future__ import annotations

from pathlib import Path

from prefect.artifacts import create_markdown_artifact

from spikinghash.redact import redact
from spikinghash.visible import visible

KEY = "night-report"


def night_artifact(page: Path) -> None:
    """Show a Markdown page as the newest `night-report`; a server that does not take it fails no night."""
    try:
        create_markdown_artifact(page.read_text(encoding="utf-8"), key=KEY, description=page.name)
    except Exception as error:  # noqa: BLE001  whatever a client raises of a server that is away
        said = visible(redact(" ".join(f"{type(error).__name__} {error}".split())))
        print(f"the report is not on Prefect's page: {said}")  # noqa: T201  becomes a Prefect log line
