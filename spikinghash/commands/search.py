"""`spikinghash search`: nearest clips to a recording."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spikinghash.commands.output import DEFAULT_DB, DEFAULT_MODEL, Db, Format, Json, Model, command, emit

if TYPE_CHECKING:
    from spikinghash.events.isolate import IsolatedDecoder
    from spikinghash.index.nearest import Answer
    from spikinghash.methods.spec import ModelSpec


@command
def search(
    file: Annotated[Path, typer.Argument(help="A recording.")],
    db: Db = DEFAULT_DB,
    k: Annotated[int, typer.Option("--k", help="How many clips.")] = 10,
    gif: Annotated[Path | None, typer.Option(help="Write a moving picture of the answer here.")] = None,
    frames: Annotated[Path, typer.Option(help="Frame store, for pictures of curated clips.")] = Path("data/frames"),
    model: Model = DEFAULT_MODEL,
    format: Format = None,
    as_json: Json = False,
) -> int:
    """Find what looks like this recording; copies of the recording itself are left out."""
    from spikinghash.codes.table import CodeDatabase
    from spikinghash.commands.model_ref import open_encoder
    from spikinghash.events.isolate import IsolatedDecoder
    from spikinghash.index.nearest import nearest

    database = CodeDatabase.open(db)
    encoder = open_encoder(model)
    with IsolatedDecoder() as decoder:
        answer = nearest(file, encoder, database, k, decode=decoder.decode, format=format)
        if gif is not None:
            _picture(gif, answer, frames, encoder.model.spec, decoder)
    results = [asdict(hit) for hit in answer.results]

    def text() -> None:
        for hit in results:
            typer.echo(f"{hit['distance']:4}  {hit['label'] or '-':12}  {hit['clip_id']}")

    emit({"query": str(file), "bits": answer.bits, "results": results}, as_json, text)
    return 0


def _picture(target: Path, answer: Answer, frames: Path, spec: ModelSpec, decoder: IsolatedDecoder) -> None:
    """Query and neighbours as one moving picture; a clip whose frames and file are both gone stays empty."""
    from spikinghash.codes.frame_recording import frame_recording
    from spikinghash.commands.inspect import write_picture
    from spikinghash.errors import BadRecording, BadStore
    from spikinghash.events.source import open_source
    from spikinghash.frames.store import FrameStore
    from spikinghash.report.clips import find_clips
    from spikinghash.report.gallery import Clip, GalleryRow, gallery_gif

    try:
        counts = dict(find_clips(FrameStore.open(frames), [hit.clip_id for hit in answer.results]))
    except BadStore:
        counts = {}
    for hit in answer.results:
        if hit.clip_id not in counts:
            try:
                framed = frame_recording(hit.recording, open_source(Path(hit.recording)), spec, decoder.decode)
                counts |= {one.clip.clip_id: one.frames for one in framed}
            except BadRecording:
                continue
    row = GalleryRow(
        Clip("query", answer.label, answer.query.frames),
        [Clip(hit.clip_id, hit.label, counts.get(hit.clip_id), hit.distance) for hit in answer.results],
    )
    write_picture(target, gallery_gif([row], columns=8))
