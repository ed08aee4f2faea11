"""`spikinghash compact` and `spikinghash vacuum`: care for the files of a code database."""

from __future__ import annotations

from typing import Annotated

import typer

from spikinghash.commands.output import DEFAULT_DB, Json, WritableDb, command, emit
from spikinghash.redact import redact

#: A week: longer than any run that might be writing beside us.
_KEEP_HOURS = 168.0

Keep = Annotated[float, typer.Option(help="Versions of the last so many hours stay readable; longer than any run.")]


NoWriters = Annotated[
    bool, typer.Option("--no-writers", help="Nobody writes meanwhile; allows less than 24 hours, after which files go.")
]


@command
def compact(db: WritableDb = DEFAULT_DB, as_json: Json = False) -> int:
    """Join the many small files that nightly appends leave; changes no row. Build the index again afterwards."""
    from spikinghash.codes.database import CodeDatabase

    database = CodeDatabase.open(db)
    before = database.file_count()
    database.compact()
    content = {"files_before": before, "files": database.file_count(), "version": database.version()}
    emit(content, as_json, lambda: typer.echo(f"{redact(db)}: {before} data files are now {content['files']}"))
    return 0


@command
def vacuum(
    db: WritableDb = DEFAULT_DB, keep_hours: Keep = _KEEP_HOURS, no_writers: NoWriters = False, as_json: Json = False
) -> int:
    """Delete files that only older versions need, and what killed runs left behind."""
    from spikinghash.codes.database import CodeDatabase

    removed = CodeDatabase.open(db).vacuum(keep_hours, no_writers)
    emit(
        {"removed": removed, "keep_hours": keep_hours},
        as_json,
        lambda: typer.echo(f"{redact(db)}: {removed} files deleted"),
    )
    return 0
