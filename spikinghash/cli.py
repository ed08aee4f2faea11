"""The command `spikinghash`. Heavy libraries are imported inside the commands, so that `--help` is quick."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from spikinghash.commands.encode import encode
from spikinghash.commands.energy import energy
from spikinghash.commands.export import export
from spikinghash.commands.fsck import fsck
from spikinghash.commands.index import index
from spikinghash.commands.inspect import inspect
from spikinghash.commands.maintain import compact, vacuum
from spikinghash.commands.preset import preset
from spikinghash.commands.registry import registry
from spikinghash.commands.release import release
from spikinghash.commands.report import report
from spikinghash.commands.search import search
from spikinghash.commands.usage_errors import run_app

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for _function in (inspect, encode, index, search, fsck, release, compact, vacuum, export, energy, report):
    app.command()(_function)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from spikinghash.version import package_version

        typer.echo(f"spikinghash {package_version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Say which one this is.")
    ] = False,
) -> None:
    """Find similar event-camera clips by binary codes."""


app.add_typer(preset, name="preset")
app.add_typer(registry, name="registry")


def main() -> None:
    """Entry point of the console script."""
    # looking for garbage again and again while libraries are imported takes a third of a second
    gc.set_threshold(200_000, 20, 100)
    sys.exit(run_app(app, sys.argv[1:]))
