"""The gallery as parts of a page: chosen queries and their neighbours, each clip a small animated GIF or a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spikinghash.frames.accumulate import Counts
from spikinghash.report.chart import data_uri
from spikinghash.report.clip_gif import clip_gif
from spikinghash.report.gallery import MARKS, Verdict, verdict
from spikinghash.report.picture import encode_png, fit_side, is_picture, pixels_rgb
from spikinghash.report.select_queries import Chosen

#: Longest side of a picture in pixels, steps it may have, and pixels of all steps together before they are enlarged.
#: The last keeps a gallery of 72 clips of pure noise, which does not compress, below 5 MB.
SIDE, MOST_FRAMES, MOST_PIXELS = 102, 8, 45_000

HEADINGS = {
    "best": "Best queries",
    "median": "Middling queries",
    "worst": "Worst queries",
    "unranked": "Queries",
}


@dataclass(frozen=True)
class Cell:
    """One clip of a row; `uri` is None if the store does not have it."""

    clip_id: str
    label: str | None
    distance: int | None
    verdict: Verdict
    mark: str
    uri: str | None
    width: int
    height: int


@dataclass(frozen=True)
class Row:
    """A query and its neighbours; `heading` is set on the first row of a group."""

    heading: str | None
    chosen: Chosen
    query: Cell
    results: list[Cell]


def gallery_rows(chosen: Sequence[Chosen], counts: Mapping[str, Counts]) -> list[Row]:
    """Rows in the order of `chosen`, with pictures of the clips in `counts`, [T, 2, H, W] or [3, H, W]."""
    films = {clip_id: _film(clip) for clip_id, clip in counts.items()}
    rows: list[Row] = []
    before = None
    for entry in chosen:
        query = entry.query
        cells = [
            _cell(films, hit.clip_id, hit.label, hit.distance, verdict(query.label, hit.label)) for hit in query.results
        ]
        heading = HEADINGS[entry.group] if entry.group != before else None
        before = entry.group
        rows.append(Row(heading, entry, _cell(films, query.clip_id, query.label, None, "query"), cells))
    return rows


def clip_ids(chosen: Sequence[Chosen]) -> set[str]:
    """Ids of all clips that the rows show."""
    return {entry.query.clip_id for entry in chosen} | {
        result.clip_id for entry in chosen for result in entry.query.results
    }


Film = tuple[str, tuple[int, int]]


def _film(clip: Counts) -> Film:
    if is_picture(clip):
        rgb = pixels_rgb(clip, SIDE)
        return data_uri("image/png", encode_png(rgb)), (rgb.shape[1], rgb.shape[0])
    fitted = fit_side(clip, SIDE)
    frames = max(2, min(MOST_FRAMES, MOST_PIXELS // fitted[0, 0].size))
    gif, size = clip_gif(fitted, side=SIDE, most_frames=frames)
    return data_uri("image/gif", gif), size


def _cell(films: Mapping[str, Film], clip_id: str, label: str | None, distance: int | None, kind: Verdict) -> Cell:
    uri, (width, height) = films.get(clip_id, (None, (SIDE, SIDE)))
    mark = "" if kind == "query" else MARKS[kind]
    return Cell(clip_id, label, distance, kind, mark, uri, width, height)
