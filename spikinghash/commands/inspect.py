"""`spikinghash inspect`: describe one recording."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from spikinghash.commands.output import Format, Json, command, emit
from spikinghash.commands.reading import FlipX, FlipY, Invert, Layout, Transpose, Unit
from spikinghash.errors import BadRecording, ConfigError, SpikinghashError
from spikinghash.files import write_atomically

Sensor = Annotated[str | None, typer.Option(help="WIDTHxHEIGHT in pixels, where the file does not say.")]
Picture = Annotated[Path | None, typer.Option(help="Write a picture here.")]


@command
def inspect(
    file: Annotated[Path, typer.Argument(help="A recording.")],
    format: Format = None,
    sensor: Sensor = None,
    layout: Layout = None,
    time_unit: Unit = None,
    flip_x: FlipX = False,
    flip_y: FlipY = False,
    transpose: Transpose = False,
    invert_polarity: Invert = False,
    gif: Picture = None,
    png: Picture = None,
    as_json: Json = False,
) -> int:
    """Describe one recording: format, sensor, span, events, what was dropped, what looks odd."""
    from spikinghash.codes.open_named import open_named
    from spikinghash.events.isolate import IsolatedDecoder
    from spikinghash.events.options import ReadOptions
    from spikinghash.events.problems import problems

    options = ReadOptions(parse_sensor(sensor), layout, flip_x, flip_y, transpose, invert_polarity, time_unit)
    try:
        with IsolatedDecoder() as decoder:
            events = decoder.decode(open_named(file), format=format, options=options)
    except BadRecording as error:
        raise BadRecording(error.reason, f"{file}: {error.message}", error.offset) from None
    if gif or png:
        from spikinghash.report.clip_gif import events_gif, events_png

        for target, draw in ((gif, events_gif), (png, events_png)):
            if target is not None:
                write_picture(target, draw(events))
    content = events.summary() | {"problems": problems(events)}

    def text() -> None:
        for key, value in content.items():
            typer.echo(f"{key:12} {'; '.join(value) or 'none' if isinstance(value, list) else value}")

    emit(content, as_json, text)
    return 0


def parse_sensor(text: str | None) -> tuple[int, int] | None:
    """`34x34` -> (34, 34); `ConfigError` for anything else."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text)
    if match is None or not all(1 <= int(n) <= 4096 for n in match.groups()):
        raise ConfigError(f"--sensor {text!r}: write WIDTHxHEIGHT, for example 34x34, at most 4096x4096")
    return int(match[1]), int(match[2])


def write_picture(path: Path, data: bytes) -> None:
    """Write a picture where the user asked; one clear line if that cannot be."""
    try:
        write_atomically(path, data)
    except OSError as error:
        raise SpikinghashError(f"{path}: cannot write the picture: {error.strerror}") from None
