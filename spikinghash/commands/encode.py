"""`spikinghash encode`: hash new recordings into the database."""

from __future__ import annotations

import functools
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
from spikinghash.codes.signals import Stop, Stopped, stop_on_signals
from spikinghash.commands.output import DEFAULT_DB, DEFAULT_MODEL, Format, Json, Model, WritableDb, command, emit
from spikinghash.commands.reading import FlipX, FlipY, Invert, Layout, Transpose, Unit, reading_of
from spikinghash.errors import EXIT_OK, EXIT_QUARANTINED, EXIT_TEMPORARY, ConfigError
from spikinghash.events.doubts import Doubts
from spikinghash.events.options import DEFAULTS
from spikinghash.visible import visible

if TYPE_CHECKING:
    from spikinghash.codes.encoder import Encoder
    from spikinghash.codes.hash_inputs import Hasher
    from spikinghash.events.options import ReadOptions

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
    layout: Layout = None,
    time_unit: Unit = None,
    flip_x: FlipX = False,
    flip_y: FlipY = False,
    transpose: Transpose = False,
    invert_polarity: Invert = False,
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
    reading, doubts = reading_of(layout, time_unit, flip_x, flip_y, transpose, invert_polarity), Doubts()
    files = discover(paths, leave_out=[db])

    def leave() -> NoReturn:
        os._exit(_tell(EncodeReport(found=len(files)), as_json))

    with stop_on_signals() as stop, ExitStack() as resources:
        with stop.leaving(leave):
            from spikinghash.codes.database import CodeDatabase
            from spikinghash.codes.encode_recordings import encode_with
            from spikinghash.model_ref import open_encoder
            from spikinghash.progress import progress_bar

            encoder = open_encoder(model)
            database = CodeDatabase.create_or_open(db)
            ready, growing = settle(files, settle_s)
        try:
            with progress_bar("encode") as progress:
                if workers:
                    made = functools.partial(_ray_hasher, workers=workers, address=address, resources=resources)
                else:
                    made = functools.partial(_hasher, doubts=doubts, resources=resources)
                hasher = made(encoder, format, reading, stop)
                report = encode_with(hasher, ready, encoder.model, database, progress=progress, stop=stop)
        except Stopped:
            # before the first input, while Ray was starting: half started, it would abort at the interpreter's end
            leave()
        report.found += len(growing)
        # before Ray ends, which takes a moment during which SIGTERM kills
        return _tell(report, as_json, growing, doubts, told=format is not None or reading != DEFAULTS)


def _tell(
    report: EncodeReport, as_json: bool, growing: Sequence[Path] = (), doubts: Doubts | None = None, told: bool = False
) -> int:
    """Print the report; the exit code it means. `told`: the command line said how to read."""
    content = report.to_json()

    def text() -> None:
        for key, value in content.items():
            typer.echo(f"{key:12} {value}")

    emit(content, as_json, text)
    sys.stdout.flush()
    if doubts is not None and (line := doubts.line()) is not None:
        typer.echo(f"spikinghash: {line}", err=True)
    if told and report.skipped + report.quarantined:
        known = f"{report.skipped} known recordings were not read again with these options"
        how = "refused ones are with `spikinghash release`, committed ones in a new --db"
        typer.echo(f"spikinghash: {known}; {how}", err=True)
    if growing:
        said = f"{len(growing)} files are still being written, the first {visible(str(growing[0]))}"
        typer.echo(f"spikinghash: {said}; run the same command again", err=True)
    if report.pending > len(growing):
        typer.echo(f"spikinghash: stopped with {report.pending} inputs pending; run the same command again", err=True)
    if report.pending:
        return EXIT_TEMPORARY
    return EXIT_QUARANTINED if report.quarantined else EXIT_OK


def _hasher(
    encoder: Encoder, format: str | None, reading: ReadOptions, stop: Stop, *, doubts: Doubts, resources: ExitStack
) -> Hasher:
    from spikinghash.codes.hash_inputs import hash_here
    from spikinghash.events.isolate import IsolatedDecoder

    decode = doubts.watch(resources.enter_context(IsolatedDecoder()).stream)
    return lambda inputs: hash_here(inputs, encoder, decode, format, stop, reading)


def _ray_hasher(
    encoder: Encoder, format: str | None, reading: ReadOptions, stop: Stop, *, workers: int, address: str | None,
    resources: ExitStack,
) -> Hasher:  # fmt: skip
    from spikinghash.codes.ray_encode import ray_hasher

    return resources.enter_context(
        ray_hasher(encoder.model, workers, address=address, format=format, reading=reading, stop=stop)
    )
