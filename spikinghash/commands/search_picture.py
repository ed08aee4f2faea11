"""The answers of a search as a moving picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spikinghash.codes.frame_recording import frame_recording
from spikinghash.codes.open_named import open_named
from spikinghash.commands.inspect import write_picture
from spikinghash.data.store import SampleStore
from spikinghash.errors import BadRecording, BadStore
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.index.nearest import Answer
from spikinghash.methods.spec import ModelSpec
from spikinghash.report.clips import find_clips
from spikinghash.report.gallery import Clip, GalleryRow, gallery_gif


def draw(target: Path, answers: list[Answer], frames: Path, spec: ModelSpec, decoder: IsolatedDecoder) -> None:
    """A row for every answer: query and neighbours; a clip whose frames and file are both gone stays empty."""
    counts = _clips(answers, frames, spec, decoder)
    rows = [
        GalleryRow(
            Clip("query", answer.label, answer.query.frames),
            [Clip(hit.clip_id, hit.label, counts.get(hit.clip_id), hit.distance) for hit in answer.results],
        )
        for answer in answers
    ]
    write_picture(target, gallery_gif(rows, columns=8))


def _clips(answers: list[Answer], frames: Path, spec: ModelSpec, decoder: IsolatedDecoder) -> dict[str, np.ndarray]:
    """Frames [T, 2, H, W] by clip id, from the store or else from the recordings."""
    hits = {hit.clip_id: hit for answer in answers for hit in answer.results}
    try:
        counts = dict(find_clips(SampleStore.open(frames), list(hits)))
    except BadStore:
        counts = {}
    for hit in hits.values():
        if hit.clip_id not in counts:
            try:
                framed = frame_recording(hit.recording, open_named(Path(hit.recording)), spec, decoder.stream)
                counts |= {one.clip.clip_id: one.frames for one in framed if one.clip.clip_id in hits}
            except BadRecording:
                continue
    return counts
