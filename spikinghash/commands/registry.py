"""`spikinghash registry`: review models, and change the one in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikinghash.commands.output import DEFAULT_DB, Json, command, emit
from spikinghash.commands.registry_gate import judged, promote_and_tell, tell_comparison, tell_verdict
from spikinghash.errors import EXIT_OK, EXIT_QUARANTINED, EXIT_USER, ConfigError
from spikinghash.tracking.gate_tags import REFUSED

if TYPE_CHECKING:
    from spikinghash.tracking.versions import Registry

registry = typer.Typer(help="Models in the registry: review, promote, roll back.", no_args_is_help=True)
Version = Annotated[int, typer.Argument(min=1, help="Number of a version.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the promotion log.")]
Uri = Annotated[str | None, typer.Option("--uri", help="Registry; default: tracking.uri in params.yaml.")]
Name = Annotated[str | None, typer.Option("--name", help="Model; default: tracking.experiment in params.yaml.")]
Folder = Annotated[Path, typer.Option("--model", help="Folder of the model.")]
Override = Annotated[str | None, typer.Option(help="Why a version that the gate refused is promoted; kept in the log.")]
Db = Annotated[str | None, typer.Option("--db", help="Code database whose recordings must have codes of the version.")]
Archives = Annotated[list[Path] | None, typer.Option("--archive", help="Hash these with it first; repeatable.")]
Wait = Annotated[float, typer.Option("--wait", min=0.0, help="Seconds to wait for a night to end before the change.")]
Frames = Annotated[Path, typer.Option(help="Frame store whose queries the gate asks.")]
Reports = Annotated[Path, typer.Option(help="Folder with the files of the stage evaluate.")]
Page = Annotated[Path | None, typer.Option(help="Write a page for a reviewer there, such as reports/review.html.")]

MODEL, FRAMES, REPORTS = Path("data/models/default"), Path("data/frames"), Path("reports")

#: Heading, key and alignment of the columns of a list.
_COLUMNS = (
    ("version", "version", ">"), ("created", "created", "<"), ("mAP", "map", ">"), ("bits", "bits", ">"),
    ("method", "method", "<"), ("size", "size", "<"), ("digest", "digest", "<"), ("gate", "gate", "<"),
    ("aliases", "aliases", "<"),
)  # fmt: skip


@registry.command("list")
@command
def list_versions(uri: Uri = None, name: Name = None, as_json: Json = False) -> int:
    """List versions, aliases and the promotion log."""
    _tell(*_place(uri, name), as_json=as_json)
    return 0


@registry.command()
@command
def show(version: Version, uri: Uri = None, name: Name = None, as_json: Json = False) -> int:
    """Show one version: its run's metrics, its digest, and what the log says of it."""
    from spikinghash.tracking.versions import read_registry

    found = read_registry(*_place(uri, name), version)

    def text() -> None:
        one = found.versions[0]
        for key in ("version", "created", "digest", "method", "size", "bits", "gate", "refused", "run_id", "aliases"):
            typer.echo(f"{key:24} {_cell(one[key])}")
        for key, value in one["metrics"].items():
            typer.echo(f"{key:24} {value:.6g}")
        _tell_log(found)

    emit(found.to_json(), as_json, text)
    return 0


@registry.command()
@command
def add(
    model: Folder = MODEL, reports: Reports = REPORTS, frames: Frames = FRAMES,
    uri: Uri = None, name: Name = None, as_json: Json = False,
) -> int:  # fmt: skip
    """Judge a model by the gate, log its evaluation, register it and call it challenger; repeating it adds nothing."""
    from spikinghash.project_params import load_project
    from spikinghash.register_model import register_model
    from spikinghash.tracking.add_model import evaluation_of
    from spikinghash.training.checkpoint import load_model

    params = load_project(Path("params.yaml"))
    evaluation_of(reports, model, load_model(model).digest)  # before anything is measured
    place = _place(uri, name)
    verdict = judged(params, model, frames, reports, place)
    added = register_model(params, model, reports, place, None if verdict is None else verdict.to_dict())

    def text() -> None:
        what = "new" if added.new_version else "known"
        typer.echo(f"{place[1]} version {added.version} is challenger: {what} model {added.digest}, run {added.run_id}")
        if verdict is not None:
            tell_verdict(verdict)

    emit(asdict(added) | {"gate": None if verdict is None else verdict.to_dict()}, as_json, text)
    return 0


@registry.command()
@command
def gate(
    model: Folder = MODEL, reports: Reports = REPORTS, frames: Frames = FRAMES,
    uri: Uri = None, name: Name = None, as_json: Json = False,
) -> int:  # fmt: skip
    """Judge a model against the champion on the project's queries, and register nothing; 1 if it is refused."""
    from spikinghash.params import Params
    from spikinghash.project_params import load_project

    params = load_project(Path("params.yaml"))
    place = _place(uri, name)
    verdict = judged(params, model, frames, reports, place)
    if verdict is None and not isinstance(params, Params):
        raise ConfigError("models of pairs have no gate yet: look at reports/evaluation.json, and promote by hand")
    if verdict is None:
        raise ConfigError(f"{frames}: no frames to measure on; run `dvc repro` first, or name them with --frames")
    emit(verdict.to_dict(), as_json, lambda: tell_verdict(verdict))
    return 0 if verdict.passed else EXIT_USER


@registry.command()
@command
def compare(
    first: Version, second: Version, frames: Frames = FRAMES, page: Page = None,
    uri: Uri = None, name: Name = None, as_json: Json = False,
) -> int:  # fmt: skip
    """Measure two versions on the same queries: mAP with bounds, energy, bits, and what changed in each class; with
    --page all of it on one page, with queries that changed.
    """
    from spikinghash.judge_model import compare_versions
    from spikinghash.params import load_params
    from spikinghash.progress import progress_bar

    if page is not None and page.is_dir():
        raise ConfigError(f"{page} is a folder; --page names the file to write, such as {page / 'review.html'}")
    params = load_params(Path("params.yaml"))
    place = _place(uri, name)
    with progress_bar("compare (clips)") as progress:
        found = compare_versions(params, (first, second), frames, place, progress, page)

    def text() -> None:
        tell_comparison(found, (first, second))
        if page is not None:
            typer.echo(f"page: {page}")

    emit(found.to_dict() | {"page": None if page is None else str(page)}, as_json, text)
    return 0


@registry.command()
@command
def promote(
    version: Version, reason: Reason, override: Override = None, db: Db = None, archive: Archives = None,
    wait_s: Wait = 0.0, uri: Uri = None, name: Name = None, as_json: Json = False,
) -> int:  # fmt: skip
    """Make a version the champion: the gate let it pass, the archive has its codes, its files load; one step at last.

    Without --db the archive in data/archive is looked at, where there is one. Exit code 3: done, but some files of
    --archive were refused.
    """
    from spikinghash.tracking.promotion import promote as make_champion

    place = _place(uri, name)
    done = None
    if db is not None or archive or Path(DEFAULT_DB).exists():
        done = promote_and_tell(place, version, reason, override, db or DEFAULT_DB, archive or [], wait_s)
    else:
        make_champion(*place, version, reason, override)
    _tell(*place, as_json=as_json, more={} if done is None else {"backfill": done.to_json()})
    return EXIT_QUARANTINED if done is not None and done.quarantined else EXIT_OK


@registry.command()
@command
def rollback(reason: Reason, uri: Uri = None, name: Name = None, as_json: Json = False) -> int:
    """Return to the champion before this one."""
    from spikinghash.tracking.promotion import rollback as take_back

    place = _place(uri, name)
    back = take_back(*place, reason)
    found = _tell(*place, as_json=as_json)
    if found.champion is not None and found.champion["gate"] == REFUSED:
        said = f"version {back.to} is champion again, which the gate had refused: `spikinghash registry show {back.to}`"
        typer.echo(f"spikinghash: {said}", err=True)
    return 0


def _place(uri: str | None, name: str | None) -> tuple[str, str]:
    from spikinghash.registry_place import registry_place

    return registry_place(uri, name)


def _tell(uri: str, name: str, *, as_json: bool, more: Mapping[str, Any] | None = None) -> Registry:
    """Print the whole registry as it is now; the JSON has `more` beside it."""
    from spikinghash.tracking.versions import read_registry

    found = read_registry(uri, name)
    if (champion := found.champion) is not None:
        from spikinghash.model_in_use import note_champion

        note_champion((uri, name), champion["version"], champion["digest"])

    def text() -> None:
        _tell_table(
            [heading for heading, _, _ in _COLUMNS], [[v[key] for _, key, _ in _COLUMNS] for v in found.versions]
        )
        _tell_log(found)

    emit(found.to_json() | dict(more or {}), as_json, text)
    return found


def _tell_table(headings: list[str], rows: list[list[Any]]) -> None:
    cells = [headings, *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        aligned = (f"{c:{a}{w}}" for c, w, (_, _, a) in zip(row, widths, _COLUMNS, strict=True))
        typer.echo("  ".join(aligned).rstrip())


def _tell_log(found: Registry) -> None:
    if found.log:
        typer.echo("")
    for entry in found.log:
        step = f"{'-' if entry.source is None else entry.source} -> {entry.to}"
        state = "" if entry.state == "done" else f"  [{entry.state}]"
        state += f"  [the gate had refused it; overridden: {entry.override}]" if entry.override else ""
        typer.echo(f"{_cell(entry.time)}  {entry.action:8}  {step:10}  {entry.reason}{state}")
    for problem in found.problems:
        typer.echo(f"! {problem}")


def _cell(value: Any) -> str:
    """One value for a person: absent as a dash, a share to three digits, a time without its zone, which is UTC."""
    if value is None or value == []:
        return "-"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value).removesuffix("+00:00").replace("T", " ") if str(value).endswith("+00:00") else str(value)
