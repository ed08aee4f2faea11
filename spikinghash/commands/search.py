"""`spikinghash search`: nearest clips to recordings."""

from __future__ import annotations

import functools
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikinghash.commands.output import DEFAULT_DB, Db, Format, InUse, Json, Version, command, emit, in_use
from spikinghash.commands.reading import FlipX, FlipY, Invert, Layout, Transpose, Unit, reading_of
from spikinghash.commands.searched_codes import SearchedCodes, tell_how
from spikinghash.redact import redact
from spikinghash.visible import visible

if TYPE_CHECKING:
    from spikinghash.index.nearest import Answer
    from spikinghash.index.searcher import Searcher

Files = Annotated[list[Path] | None, typer.Argument(help="Recordings; each is a query.")]
Text = Annotated[str | None, typer.Option("--text", help="A sentence as the query, for a model of pairs.")]
Image = Annotated[Path | None, typer.Option("--image", help="A picture as the query, for a model of pairs.")]
To = Annotated[str | None, typer.Option("--to", help="What to find, image or text; default: the other one.")]
K = Annotated[int | None, typer.Option("--k", help="How many clips; default 10, or all within --radius.")]
Radius = Annotated[int | None, typer.Option(help="Only clips at most so many bits away.")]
Labels = Annotated[list[str] | None, typer.Option("--label", help="Only clips with this label; may be repeated.")]
Archives = Annotated[list[str] | None, typer.Option("--archive", help="Only clips out of this archive; repeatable.")]
From = Annotated[int | None, typer.Option(help="Only clips that end after this time of their recording, us.")]
Until = Annotated[int | None, typer.Option(help="Only clips that start before this time of their recording, us.")]
Index = Annotated[Path | None, typer.Option("--index", help="Folder of `spikinghash index`; default: its default.")]
Approximate = Annotated[bool, typer.Option("--approximate", help="By the structure of `index --structure`.")]
Gif = Annotated[Path | None, typer.Option(help="Write a moving picture of the answers here.")]
Rescore = Annotated[bool, typer.Option("--rescore", help="With --text or --image: rank by the query's real scores.")]
Frames = Annotated[Path, typer.Option(help="Frame store, for pictures of curated clips.")]


@command
def search(
    files: Files = None,
    text: Text = None,
    image: Image = None,
    to: To = None,
    db: Db = DEFAULT_DB,
    k: K = None,
    radius: Radius = None,
    label: Labels = None,
    archive: Archives = None,
    from_us: From = None,
    to_us: Until = None,
    index: Index = None,
    approximate: Approximate = False,
    rescore: Rescore = False,
    gif: Gif = None,
    frames: Frames = Path("data/frames"),
    model: InUse = None,
    version: Version = None,
    format: Format = None,
    layout: Layout = None,
    time_unit: Unit = None,
    flip_x: FlipX = False,
    flip_y: FlipY = False,
    transpose: Transpose = False,
    invert_polarity: Invert = False,
    as_json: Json = False,
) -> int:
    """Find what looks like these recordings, or what a sentence or picture is about; copies of a recording itself are
    left out.

    One recording: JSON with query, bits and results. Several: bits and answers, each with query and results.
    """
    items = text is not None or image is not None
    _check_use(items, files, {"--gif": gif, "--from-us": from_us, "--to-us": to_us}, {"--to": to, "--rescore": rescore})
    k = 10 if k is None and radius is None else k
    among = SearchedCodes(db, index, version, approximate)
    if items:
        from spikinghash.commands.search_items import search_items
        from spikinghash.index.filters import Filters

        filters = Filters(_some(label), _some(archive))
        return search_items(text, image, to, among, in_use(model, db), k, radius, filters, rescore, as_json)
    from spikinghash.events.isolate import IsolatedDecoder

    with IsolatedDecoder() as decoder:
        decoder.start()
        from spikinghash.index.filters import Filters
        from spikinghash.index.nearest import nearest
        from spikinghash.model_ref import open_encoder

        encoder = open_encoder(in_use(model, db))
        codes = among.of(encoder.model.digest)
        filters = Filters(_some(label), _some(archive), from_us, to_us)
        reading = reading_of(layout, time_unit, flip_x, flip_y, transpose, invert_polarity)
        find = functools.partial(
            nearest, decode=decoder.stream, format=format, reading=reading, labelled=gif is not None
        )
        answers = find(files or [], encoder, codes, k, radius=radius, filters=filters)
        tell_how(codes)
        if gif is not None:
            from spikinghash.commands.search_picture import draw

            draw(gif, answers, frames, encoder.model.spec, decoder)
    _tell(answers, codes, db, as_json)
    return 0


def _check_use(items: bool, files: list[Path] | None, clips: dict[str, Any], pairs: dict[str, Any]) -> None:
    """Options of recordings and of sentences or pictures do not go together; a wrong use is said before anything."""
    if not items and not files:
        raise typer.BadParameter("name a recording, or give --text or --image")
    if items and files:
        raise typer.BadParameter("a query is recordings, or --text or --image, not both")
    for name, value in (clips if items else pairs).items():
        if value is not None and value is not False:
            raise typer.BadParameter(f"{name} is for {'recordings' if items else '--text and --image'}")


def _tell(answers: list[Answer], codes: Searcher, db: str, as_json: bool) -> None:
    told: list[dict[str, Any]] = [
        {"query": str(answer.path), "results": [asdict(hit) for hit in answer.results]} for answer in answers
    ]

    def text() -> None:
        if not any(answer["results"] for answer in told):
            typer.echo("spikinghash: nothing was found", err=True)
        for answer in told:
            if len(told) > 1:
                typer.echo(f"{visible(answer['query'])}:")
            for hit in answer["results"]:
                label, times = visible(hit["label"] or "-"), f"{hit['start_us']}-{hit['end_us']} us"
                typer.echo(f"{hit['distance']:4}  {label:12}  {visible(hit['recording'])}  {times}")

    content: dict[str, Any] = {"bits": codes.bits, "db": redact(db)}
    if codes.quick is not None:
        content["recall"] = codes.quick.about["recall"]
    emit(content | (told[0] if len(told) == 1 else {"answers": told}), as_json, text)


def _some(values: list[str] | None) -> tuple[str, ...] | None:
    return tuple(values) if values else None
