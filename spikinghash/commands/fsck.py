"""`spikinghash fsck`: account for everything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spikinghash.commands.output import DEFAULT_DB, Db, Digest, Json, command, emit
from spikinghash.dvc_outputs import refuse_dvc_output
from spikinghash.errors import EXIT_OK, EXIT_USER


@command
def fsck(
    db: Db = DEFAULT_DB,
    archive: Annotated[
        list[Path] | None, typer.Option(help="Inputs to account for: files, folders, archives; may be repeated.")
    ] = None,
    model: Digest = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="First drop what cannot be trusted; nothing may write meanwhile.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Check that nothing is lost, doubled or damaged. Exit code 1: something is, or inputs are still pending."""
    from spikinghash.codes.database import CodeDatabase
    from spikinghash.codes.discover import discover
    from spikinghash.codes.fsck import fsck as check
    from spikinghash.model_ref import digest_of

    content: dict[str, Any] = {}
    if repair:
        from spikinghash.index.repair_database import repair_database

        refuse_dvc_output(db)
        content["repaired"] = repair_database(db)
    found = check(CodeDatabase.open(db), digest_of(model), discover(archive, leave_out=[db]) if archive else None)
    content = found.to_json() | content

    def text() -> None:
        for key, value in content.items():
            if key not in ("problems", "repaired"):
                typer.echo(f"{key:12} {value}")
        for problem in found.problems:
            typer.echo(f"- {problem}")
        if repair:
            _tell_repair(content["repaired"])

    emit(content, as_json, text)
    return EXIT_OK if found.ok else EXIT_USER


def _tell_repair(repaired: dict[str, Any]) -> None:
    if not repaired["changed"]:
        typer.echo("repair       nothing had to be done")
        return
    for line in repaired["log"]:
        typer.echo(f"mended       {line}")
    for file in repaired["files"]:
        typer.echo(f"dropped      {file['table']}/{file['path']} with {file['rows']} rows: {file['problem']}")
    typer.echo(f"dropped      {repaired['rows']} rows, and {repaired['duplicates']} that said the same as another")
    typer.echo(f"found again  {repaired['adopted']} rows in files that the log had lost")
    for recording in repaired["recordings"]:
        typer.echo(f"- {recording}: `spikinghash encode` hashes it again")
    for folder in repaired["indexes"]:
        typer.echo(f"removed      the index {folder}; build it again with `spikinghash index`")
