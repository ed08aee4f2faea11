"""Wrong arguments end as every other wrong input: one line, exit code 1, and one JSON document where that was asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import typer

from spikinghash.errors import EXIT_TEMPORARY, EXIT_USER

#: Typer brings its own copy of click and shows of its errors only this one, whose base they share.
_ClickError: type[Any] = typer.BadParameter.__mro__[2]


def run_app(app: Callable[..., Any], arguments: list[str]) -> int:
    """Run a Typer app on `arguments`; the exit code."""
    try:
        code = app(arguments, standalone_mode=False)
    except _ClickError as error:
        _tell(error, "--json" in arguments)
        return EXIT_USER
    except typer.Abort:
        return EXIT_TEMPORARY
    return code if isinstance(code, int) else 0


def _tell(error: Any, as_json: bool) -> None:
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.format_message(), err=True)
        return
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    hint = "" if context is None else f"; `{context.command_path} --help` lists what there is"
    if as_json:
        document = {"error": {"reason": "usage", "message": message, "offset": None}}
        sys.stdout.write(json.dumps(document, sort_keys=True) + "\n")
    typer.echo(f"spikinghash: {message}{hint}", err=True)
