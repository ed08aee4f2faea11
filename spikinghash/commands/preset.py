"""`spikinghash preset`: recipes of the paper, and those that two cores finish, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinghash.commands.output import Json, command, emit

preset = typer.Typer(help="Recipes by name, laid over params.yaml.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of a preset.")]


@preset.command("list")
@command
def list_presets(as_json: Json = False) -> int:
    """List the presets."""
    from spikinghash.presets import preset_names, preset_text

    heads = {name: preset_text(name).splitlines()[0].removeprefix("# ") for name in preset_names()}

    def text() -> None:
        for name, head in heads.items():
            typer.echo(f"{name:20} {head}")

    emit({"presets": heads}, as_json, text)
    return 0


@preset.command()
@command
def show(
    name: Name,
    params: Annotated[Path, typer.Option(help="The parameter file it would be laid over.")] = Path("params.yaml"),
    measure: Annotated[bool, typer.Option(help="Run a few training steps to tell memory and time.")] = True,
    as_json: Json = False,
) -> int:
    """Show what a preset changes, and what it asks of this machine."""
    import yaml

    from spikinghash.preset_needs import preset_needs
    from spikinghash.presets import preset_text
    from spikinghash.strict_yaml import read_yaml

    text = preset_text(name)
    if not as_json:
        typer.echo(text)
    if measure:
        typer.echo("measuring training steps; --no-measure leaves it out", err=True)
    needs = preset_needs(name, read_yaml(params), measure=measure, path=params)
    content = {"name": name, "changes": yaml.safe_load(text), "needs": needs.to_json()}
    emit(content, as_json, lambda: typer.echo("\n".join(needs.lines())))
    return 0


@preset.command()
@command
def apply(
    name: Name,
    params: Annotated[Path, typer.Option(help="The parameter file to change.")] = Path("params.yaml"),
    as_json: Json = False,
) -> int:
    """Write a preset's values into params.yaml; comments stay."""
    from spikinghash.preset import apply_preset

    keys = apply_preset(name, params)
    emit(
        {"path": str(params), "changed": keys},
        as_json,
        lambda: typer.echo(f"{params}: {', '.join(keys) or 'no change'}"),
    )
    return 0
