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
from spikinghash.codes.signals import Stopped, stop_on_signals
from spikinghash.commands.output import DEFAULT_DB, Format, InUse, Json, WritableDb, command, emit, in_use
from spikinghash.commands.reading import FlipX, FlipY, Invert, Layout, Transpose, Unit, reading_of
from spikinghash.errors import EXIT_OK, EXIT_QUARANTINED, EXIT_TEMPORARY, ConfigError
from spikinghash.events.doubts import Doubts
from spikinghash.events.options import DEFAULTS
from spikinghash.visible import visible

if TYPE_CHECKING:
    from spikinghash.nightly.shadow import Shadow

Workers = Annotated[int, typer.Option("--workers", min=0, help="Ray workers; 0: this process alone, without Ray.")]
Settle = Annotated[
    float, typer.Option(min=0, max=3600, help="Take no file that was written to in the last so many seconds.")
]
Address = Annotated[str | None, typer.Option("--address", help="Ray cluster for the workers; default: a local one.")]
ShadowModel = Annotated[
    str | None, typer.Option("--shadow", help="A second model, which hashes after the first and whose failure is said.")
]


@command
def encode(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, zip or tar archives of them, or folders of either.")],
    db: WritableDb = DEFAULT_DB,
    model: InUse = None,
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
    shadow: ShadowModel = None,
    as_json: Json = False,
) -> int:
    """Hash new recordings into the database, each exactly once.

    Exit code 3: done, but some files were refused; 75: the rest is pending, for a signal stopped it or files are still
    being written. With --shadow files are read once for each model; the exit code is that of the first, or 75 where a
    signal left the second unfinished.
    """
    if address is not None and workers == 0:
        raise ConfigError("--address needs --workers, the number of workers on the cluster")
    reading, doubts = reading_of(layout, time_unit, flip_x, flip_y, transpose, invert_polarity), Doubts()
    files = discover(paths, leave_out=[db])

    report: EncodeReport | None = None
    beside: Shadow | None = None

    def leave() -> NoReturn:
        os._exit(_tell(report or EncodeReport(found=len(files)), as_json, unfinished=report is not None))

    with stop_on_signals() as stop, ExitStack() as resources:
        with stop.leaving(leave):
            from spikinghash.codes.database import CodeDatabase
            from spikinghash.commands.encode_job import EncodeJob
            from spikinghash.model_ref import open_encoder
            from spikinghash.nightly.shadow import hash_shadow

            encoder = open_encoder(in_use(model, db))
            database = CodeDatabase.create_or_open(db)
            ready, growing = settle(files, settle_s)
            job = EncodeJob(ready, database, format, reading, workers, address, doubts, stop, resources)
        try:
            report = job.hash(encoder)
            report.found += len(growing)
            if shadow is not None and not stop.asked:
                beside = hash_shadow(shadow, encoder.model.digest, job.hash)
        except Stopped:
            # before the first input, while Ray was starting: half started, it would abort at the interpreter's end
            leave()
        unfinished = shadow is not None and stop.asked and (beside is None or beside.pending > 0)
        # before Ray ends, which takes a moment during which SIGTERM kills
        told = format is not None or reading != DEFAULTS
        return _tell(report, as_json, growing, doubts, told=told, shadow=beside, unfinished=unfinished)


def _tell(
    report: EncodeReport, as_json: bool, growing: Sequence[Path] = (), doubts: Doubts | None = None, told: bool = False,
    shadow: Shadow | None = None, unfinished: bool = False,
) -> int:  # fmt: skip
    """Print the report; the exit code it means. `told`: the command line said how to read; `unfinished`: the shadow."""
    content = report.to_json()
    if shadow is not None:
        content["shadow"] = shadow.to_json()

    def text() -> None:
        for key, value in content.items():
            said = value
            if isinstance(value, dict):
                said = ", ".join(f"{name} {one}" for name, one in value.items() if one is not None) or "-"
            typer.echo(f"{key:12} {said}")

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
    if shadow is not None and shadow.problem is not None:
        typer.echo(f"spikinghash: the shadow did not hash: {visible(shadow.problem)}", err=True)
    if unfinished:
        typer.echo("spikinghash: stopped before the shadow had hashed all; run the same command again", err=True)
    if report.pending or unfinished:
        return EXIT_TEMPORARY
    return EXIT_QUARANTINED if report.quarantined else EXIT_OK
