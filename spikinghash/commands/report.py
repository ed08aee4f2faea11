"""`spikinghash report`: rebuild the page from the metrics files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinghash.commands.output import Json, command, emit


@command
def report(
    reports: Annotated[Path, typer.Option(help="Folder with the metrics files.")] = Path("reports"),
    frames: Annotated[Path, typer.Option(help="Frame store, for pictures.")] = Path("data/frames"),
    out: Annotated[Path | None, typer.Option(help="Where to write the page.")] = None,
    as_json: Json = False,
) -> int:
    """Rebuild the HTML report."""
    from spikinghash.project_params import refuse_pairs
    from spikinghash.report.html import build_report

    refuse_pairs("its page is made by `dvc repro report_pairs`")
    page = build_report(reports, frames, out or reports / "report.html")
    emit({"path": str(page)}, as_json, lambda: typer.echo(str(page)))
    return 0
