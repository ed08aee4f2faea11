"""`spikinghash release`: recordings out of the quarantine, to be tried again."""

from __future__ import annotations

from typing import Annotated

import typer

from spikinghash.commands.output import DEFAULT_DB, Digest, Json, WritableDb, command, emit

Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Refused for this reason; may be repeated.")]
Paths = Annotated[
    list[str] | None, typer.Option("--path", help="This recording, archive or folder of them; may be repeated.")
]


@command
def release(
    db: WritableDb = DEFAULT_DB, reason: Reasons = None, path: Paths = None, model: Digest = None, as_json: Json = False
) -> int:
    """Take refused recordings out of the quarantine; the next `encode` tries them again."""
    from spikinghash.codes.database import CodeDatabase
    from spikinghash.codes.release import release as take_out
    from spikinghash.codes.schema import path_text

    gone = take_out(CodeDatabase.open(db), reason or [], [path_text(one) for one in path or []], model)
    paths = sorted(set(gone.column("path").to_pylist()))

    def text() -> None:
        for one in paths:
            typer.echo(f"- {one}")
        typer.echo(f"{len(paths)} recordings released; `spikinghash encode` tries them again")

    emit({"released": len(paths), "paths": paths}, as_json, text)
    return 0
