"""`spikinghash fsck`: account for everything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinghash.commands.output import DEFAULT_DB, Db, Digest, Json, command, emit
from spikinghash.errors import EXIT_OK, EXIT_USER


@command
def fsck(
    db: Db = DEFAULT_DB,
    archive: Annotated[
        list[Path] | None, typer.Option(help="Inputs to account for: files, folders, archives; may be repeated.")
    ] = None,
    model: Digest = None,
    as_json: Json = False,
) -> int:
    """Check that nothing is lost, doubled or damaged. Exit code 1: something is, or inputs are still pending."""
    from spikinghash.codes.discover import discover
    from spikinghash.codes.fsck import fsck as check
    from spikinghash.codes.table import CodeDatabase

    found = check(CodeDatabase.open(db), model, discover(archive) if archive else None)
    content = found.to_json()

    def text() -> None:
        for key, value in content.items():
            if key != "problems":
                typer.echo(f"{key:12} {value}")
        for problem in found.problems:
            typer.echo(f"- {problem}")

    emit(content, as_json, text)
    return EXIT_OK if found.ok else EXIT_USER
