"""`spikinghash encode`: hash new recordings into the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinghash.commands.output import DEFAULT_DB, DEFAULT_MODEL, Db, Format, Json, Model, command, emit
from spikinghash.errors import EXIT_OK, EXIT_QUARANTINED


@command
def encode(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, zip or tar archives of them, or folders of either.")],
    db: Db = DEFAULT_DB,
    model: Model = DEFAULT_MODEL,
    format: Format = None,
    as_json: Json = False,
) -> int:
    """Hash new recordings into the database, each exactly once. Exit code 3: done, but some files were refused."""
    from spikinghash.codes.discover import discover
    from spikinghash.codes.encode_recordings import encode_recordings
    from spikinghash.codes.table import CodeDatabase
    from spikinghash.commands.model_ref import open_encoder
    from spikinghash.events.isolate import IsolatedDecoder
    from spikinghash.progress import progress_bar

    files = discover(paths)
    encoder = open_encoder(model)
    database = CodeDatabase.create_or_open(db)
    with IsolatedDecoder() as decoder, progress_bar("encode") as progress:
        report = encode_recordings(files, encoder, database, decode=decoder.decode, format=format, progress=progress)
    content = report.to_json()

    def text() -> None:
        for key, value in content.items():
            typer.echo(f"{key:12} {value}")

    emit(content, as_json, text)
    return EXIT_QUARANTINED if report.quarantined else EXIT_OK
