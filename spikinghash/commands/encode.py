"""`spikinghash encode`: hash new recordings into the database."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from spikinghash.codes.discover import discover
from spikinghash.codes.encode_report import EncodeReport
from spikinghash.codes.settle import SETTLE_S, settle
from spikinghash.codes.stop import Stop, Stopped, stop_on_signals
from spikinghash.commands.output import DEFAULT_DB, DEFAULT_MODEL, Format, Json, Model, WritableDb, command, emit
from spikinghash.errors import EXIT_OK, EXIT_QUARANTINED, EXIT_TEMPORARY, ConfigError

if TYPE_CHECKING:
    from spikinghash.codes.encoder import Encoder
    from spikinghash.codes.table import CodeDatabase
    from spikinghash.progress import Update

Workers = Annotated[int, typer.Option("--workers", min=0, help="Ray workers; 0: this process alone, without Ray.")]
Settle = Annotated[
    float, typer.Option(min=0, max=3600, help="Take no file that was written to in the last so many seconds.")
]
Address = Annotated[str | None, typer.Option("--address", help="Ray cluster for the workers; default: a local one.")]


@command
def encode(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, zip or tar archives of them, or folders of either.")],
    db: WritableDb = DEFAULT_DB,
    model: Model = DEFAULT_MODEL,
    format: Format = None,
    workers: Workers = 0,
    address: Address = None,
    settle_s: Settle = SETTLE_S,
    as_json: Json = False,
) -> int:
    """Hash new recordings into the database, each exactly once.

    Exit code 3: done, but some files were refused; 75: the rest is pending, for a signal stopped it or files are still
    being written.
    """
    if address is not None and workers == 0:
        raise ConfigError("--address needs --workers, the number of workers on the cluster")
    files = discover(paths)

    def leave() -> NoReturn:
        os._exit(_tell(EncodeReport(found=len(files)), as_json))

    with stop_on_signals() as stop, ExitStack() as resources:
        with stop.leaving(leave):
            from spikinghash.codes.table import CodeDatabase
            from spikinghash.commands.model_ref import open_encoder
            from spikinghash.progress import progress_bar

            encoder = open_encoder(model)
            database = CodeDatabase.create_or_open(db)
            ready, growing = settle(files, settle_s)
        try:
            with progress_bar("encode") as progress:
                if workers:
                    report = _on_ray(ready, encoder, database, format, workers, address, stop, progress, resources)
                else:
                    report = _here(ready, encoder, database, format, stop, progress)
        except Stopped:
            # before the first input, while Ray was starting: half started, it would abort at the interpreter's end
            leave()
        report.found += len(growing)
        # before Ray ends, which takes a moment during which SIGTERM kills
        return _tell(report, as_json, growing)


def _tell(report: EncodeReport, as_json: bool, growing: Sequence[Path] = ()) -> int:
    """Print the report; the exit code it means."""
    content = report.to_json()

    def text() -> None:
        for key, value in content.items():
            typer.echo(f"{key:12} {value}")

    emit(content, as_json, text)
    sys.stdout.flush()
    if growing:
        said = f"{len(growing)} files are still being written, the first {growing[0]}; run the same command again"
        typer.echo(f"spikinghash: {said}", err=True)
    if report.pending > len(growing):
        typer.echo(f"spikinghash: stopped with {report.pending} inputs pending; run the same command again", err=True)
    if report.pending:
        return EXIT_TEMPORARY
    return EXIT_QUARANTINED if report.quarantined else EXIT_OK


def _here(
    files: list[Path], encoder: Encoder, database: CodeDatabase, format: str | None, stop: Stop, progress: Update
) -> EncodeReport:
    from spikinghash.codes.encode_recordings import encode_recordings
    from spikinghash.events.isolate import IsolatedDecoder

    with IsolatedDecoder() as decoder:
        return encode_recordings(
            files, encoder, database, decode=decoder.decode, format=format, progress=progress, stop=stop
        )


def _on_ray(
    files: list[Path],
    encoder: Encoder,
    database: CodeDatabase,
    format: str | None,
    workers: int,
    address: str | None,
    stop: Stop,
    progress: Update,
    resources: ExitStack,
) -> EncodeReport:
    from spikinghash.codes.encode_recordings import encode_with
    from spikinghash.codes.ray_encode import ray_hasher

    hasher = resources.enter_context(ray_hasher(encoder.model, workers, address=address, format=format, stop=stop))
    return encode_with(hasher, files, encoder.model, database, progress=progress, stop=stop)
