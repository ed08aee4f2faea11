"""`spikinghash export`: the codes as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinghash.commands.output import DEFAULT_DB, Db, Digest, Json, Version, command, emit


@command
def export(
    out: Annotated[Path, typer.Option(help="*.parquet, or *.faiss with its clips in *.faiss.parquet.")],
    db: Db = DEFAULT_DB,
    model: Digest = None,
    version: Version = None,
    as_json: Json = False,
) -> int:
    """Write the codes of one model as plain Parquet or as a FAISS index."""
    from spikinghash.codes.database import CodeDatabase
    from spikinghash.index.export import export as write
    from spikinghash.model_ref import digest_of

    content = write(CodeDatabase.open(db), out, digest_of(model), version)
    emit(content, as_json, lambda: typer.echo(f"{content['path']}: {content['rows']} codes of {content['bits']} bits"))
    return 0
