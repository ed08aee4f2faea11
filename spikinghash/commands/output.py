"""How every command ends: one JSON document or readable text, and the right exit code."""

from __future__ import annotations

import errno
import functools
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from spikinghash.dvc_outputs import refuse_dvc_output
from spikinghash.errors import EXIT_BUG, EXIT_TEMPORARY, BadRecording, ConfigError, SpikinghashError, Temporary
from spikinghash.redact import redact
from spikinghash.visible import visible

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
Model = Annotated[str, typer.Option("--model", help="Folder of a model, or models:/NAME@alias.")]
InUse = Annotated[
    str | None,
    typer.Option(
        "--model", help="Folder of a model, or models:/NAME@alias; default: the champion, else data/models/default."
    ),
]
Format = Annotated[str | None, typer.Option("--format", help="Name of the raw format; default: by content.")]

Digest = Annotated[
    str | None,
    typer.Option("--model", help="Digest, folder or models:/NAME@alias; default: all, or the only one."),
]
Version = Annotated[int | None, typer.Option("--version", help="The codes as they were at this version of the table.")]

#: Where the pipeline leaves its model.
DEFAULT_MODEL = "data/models/default"
#: The archive: what `encode` grows. `data/codes` belongs to the pipeline.
DEFAULT_DB, CURATED_DB = "data/archive", "data/codes"


def _existing(db: str) -> str:
    """The database to read; the default is the archive, or the curated codes where no archive was begun."""
    _check_address(db)
    return CURATED_DB if db == DEFAULT_DB and not Path(db).exists() and Path(CURATED_DB).exists() else db


def _writable(db: str) -> str:
    _check_address(db)
    try:
        refuse_dvc_output(db)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None
    return db


def _check_address(db: str) -> None:
    if not db.strip():
        raise typer.BadParameter("the database is empty; name a folder or an address")


Db = Annotated[
    str,
    typer.Option(
        "--db", callback=_existing,
        help="Code database: a folder or an object-store address; where there is no archive yet, the curated codes.",
    ),
]  # fmt: skip
WritableDb = Annotated[str, typer.Option("--db", callback=_writable, help="Code database: a folder or an address.")]


def in_use(model: str | None, db: str) -> str:
    """The model that was named, else the one in use; curated codes are always of the pipeline's."""
    if model is not None:
        return model
    if Path(db).resolve() == Path(CURATED_DB).resolve():
        return DEFAULT_MODEL
    from spikinghash.model_in_use import model_in_use

    ref, version = model_in_use(DEFAULT_MODEL)
    if version is not None:
        said = f"with the champion, version {version}; {DEFAULT_MODEL} is another model"
        typer.echo(f"spikinghash: {said}", err=True)
    return ref


def emit(content: dict[str, Any], as_json: bool, text: Callable[[], None]) -> None:
    """Print `content` as JSON, or call `text` to show it to a person."""
    if as_json:
        sys.stdout.write(json.dumps(content, sort_keys=True) + "\n")
    else:
        text()


def command(function: Callable[..., int]) -> Callable[..., None]:
    """Run a command that returns its exit code; turn our errors into one line, others into a bug report."""

    @functools.wraps(function)
    def wrapper(**arguments: Any) -> None:
        as_json = bool(arguments.get("as_json"))
        try:
            code = function(**arguments)
        except typer.BadParameter:
            # wrong arguments that only a look at all of them shows; `usage_errors.py` tells them
            raise
        except SpikinghashError as error:
            code = _refuse(error, as_json)
        except BrokenPipeError:
            # the reader of our output has gone, for example `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = EXIT_TEMPORARY
        except Exception as error:  # noqa: BLE001  the last line of defence
            if isinstance(error, OSError) and error.filename is not None:
                code = _refuse(_file_error(error), as_json)
            else:
                traceback.print_exc()
                code = _bug(error, as_json)
        raise typer.Exit(code)

    return wrapper


def _file_error(error: OSError) -> SpikinghashError:
    """A file that cannot be read or written is no bug of ours: one line, and whether trying again may help."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    step = "free space and run again" if full else "check the path and its permissions"
    return (Temporary if full else SpikinghashError)(f"{error.filename}: {error.strerror}; {step}")


def _refuse(error: SpikinghashError, as_json: bool) -> int:
    if as_json:
        reason = error.reason if isinstance(error, BadRecording) else type(error).__name__
        message = error.message if isinstance(error, BadRecording) else str(error)
        offset = error.offset if isinstance(error, BadRecording) else None
        document = {"error": {"reason": reason, "message": message, "offset": offset}}
        sys.stdout.write(json.dumps(document, sort_keys=True) + "\n")
    typer.echo(f"spikinghash: {visible(redact(str(error)))}", err=True)
    return error.exit_code


def _bug(error: Exception, as_json: bool) -> int:
    if as_json:
        document = {"error": {"reason": "bug", "message": f"{type(error).__name__}: {error}", "offset": None}}
        sys.stdout.write(json.dumps(document, sort_keys=True) + "\n")
    typer.echo("spikinghash: this is a bug in spikinghash; please report the lines above", err=True)
    return EXIT_BUG
