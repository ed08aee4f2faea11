"""`spikinghash index`: a search index over all codes of one model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spikinghash.commands.output import DEFAULT_DB, Db, Digest, Json, command, emit
from spikinghash.dvc_outputs import refuse_dvc_output
from spikinghash.errors import ConfigError
from spikinghash.redact import redact

Out = Annotated[Path | None, typer.Option(help="Folder to write; default: DB/index/MODEL, where search looks.")]

Structure = Annotated[
    str | None,
    typer.Option(help="Also build ivf, multi-hash or hnsw, and print how much of the exact answer it finds."),
]


@command
def index(
    db: Db = DEFAULT_DB,
    model: Digest = None,
    out: Out = None,
    structure: Structure = None,
    as_json: Json = False,
) -> int:
    """Build the index that makes a search in a large database quick; codes committed later are found without it."""
    from spikinghash.codes.database import CodeDatabase
    from spikinghash.index.approximate import build_approximate
    from spikinghash.index.flat import build_index
    from spikinghash.index.index_folder import index_folder
    from spikinghash.model_ref import digest_of

    codes = CodeDatabase.open(db).load(digest_of(model))
    folder = out or index_folder(db, codes.model)
    if folder is None:
        raise ConfigError(f"{redact(db)} is an object store; say where the index goes: --out FOLDER")
    refuse_dvc_output(folder)
    manifest = build_index(codes, folder)
    content: dict[str, Any] = {
        "path": str(folder),
        "rows": manifest.rows,
        "bits": manifest.bits,
        "model": manifest.model,
    }
    if structure is not None:
        content["approximate"] = build_approximate(codes.codes, structure, folder)

    def text() -> None:
        typer.echo(f"{folder}: {manifest.rows} codes of {manifest.bits} bits")
        if structure is not None:
            about = content["approximate"]
            rates = about["queries_per_s"]
            typer.echo(
                f"{structure}: recall@{about['k']} {about['recall']:.3f}, {rates['approximate']} queries/s, "
                f"exact {rates['exact']} queries/s"
            )

    emit(content, as_json, text)
    return 0
