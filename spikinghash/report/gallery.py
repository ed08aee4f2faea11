"""Contact sheets: a query, then its nearest clips, framed green for the same class and red for another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from spikinghash.report.clip_gif import clip_frames, encode_gif, loop_frame_ms
from spikinghash.report.one_line import one_line
from spikinghash.report.palette import GREY_LEVELS, GREYS, NEUTRAL, OTHER, SAME, Ground, palette
from spikinghash.report.picture import Indices, Numbers, encode_still_gif, is_picture, pixels_rgb

Verdict = Literal["query", "same", "other", "unknown"]
MARKS: dict[Verdict, str] = {"query": "query", "same": "✓", "other": "✗", "unknown": ""}
_FRAME_COLOURS: dict[Verdict, int] = {"query": NEUTRAL, "same": SAME, "other": OTHER, "unknown": NEUTRAL}

BORDER, PAD, GAP, LINE, TEXT = 4, 3, 10, 16, 12


@dataclass(frozen=True, eq=False)
class Clip:
    """One cell of a gallery: counts [T, 2, H, W], pixels [3, H, W] or None, `distance` in bits (None: the query)."""

    clip_id: str
    label: str | None
    counts: Numbers | None = field(repr=False)
    distance: int | None = None


@dataclass(frozen=True, eq=False)
class GalleryRow:
    """A query and its nearest clips, nearest first. Clips may differ in steps and size."""

    query: Clip
    results: Sequence[Clip]


@dataclass(frozen=True, eq=False)
class _Sheet:
    """Palette indices uint8 [T, H, W], and what no palette holds: photos uint8 [h, w, 3] with their top and left."""

    frames: Indices
    photos: list[tuple[int, int, NDArray[np.uint8]]]

    def rgb(self, ground: Ground) -> NDArray[np.uint8]:
        """The first frame with the photos in it, [H, W, 3]."""
        sheet = palette(ground)[self.frames[0]]
        for top, left, photo in self.photos:
            sheet[top : top + photo.shape[0], left : left + photo.shape[1]] = photo
        return sheet


def verdict(query_label: str | None, label: str | None) -> Verdict:
    """Whether a neighbour is of the query's class; unknown if a label is missing."""
    if query_label is None or label is None:
        return "unknown"
    return "same" if query_label == label else "other"


def gallery_gif(
    rows: Sequence[GalleryRow], *, side: int = 112, columns: int = 6, ground: Ground = "light", most_frames: int = 24
) -> bytes:
    """Animated contact sheet of `rows`; a row with more than `columns` neighbours goes on below, indented.

    Pictures fit into `side` x `side` pixels. Clips with fewer steps show each for longer, so all loop together. A sheet
    with pictures of pixels stands still, in its own 256 colours.
    Raises `ValueError` without rows or for counts that are neither [T, 2, H, W] nor [3, H, W].
    """
    sheet = _sheet(rows, columns, side, lambda counts: clip_frames(counts, side=side, most_frames=most_frames))
    if sheet.photos:
        return encode_still_gif(sheet.rgb(ground))
    return encode_gif(sheet.frames, ground, frame_ms=loop_frame_ms(len(sheet.frames)))


def _sheet(rows: Sequence[GalleryRow], columns: int, side: int, film_of: Callable[[Numbers], Indices]) -> _Sheet:
    """The whole sheet; T is that of the clip with most steps."""
    if not rows:
        raise ValueError("a gallery needs at least one row")
    lines = [line for row in rows for line in _lines(row, columns)]
    clips = [cell[0] for line in lines for cell in line if cell is not None]
    known = [(id(clip), clip.counts) for clip in clips if clip.counts is not None]
    shots = {key: pixels_rgb(counts, side) for key, counts in known if is_picture(counts)}
    films = {key: film_of(counts) for key, counts in known if key not in shots}
    films |= {key: np.zeros((1, *shot.shape[:2]), np.uint8) for key, shot in shots.items()}
    T = max((len(film) for film in films.values()), default=1)
    wide, high = side + 2 * (BORDER + PAD), side + 2 * (BORDER + PAD) + 2 * LINE
    width = GAP + max(len(line) for line in lines) * (wide + GAP)
    sheet = np.zeros((T, GAP + len(lines) * (high + GAP), width), dtype=np.uint8)
    photos = []
    for i, line in enumerate(lines):
        for j, cell in enumerate(line):
            if cell is not None:
                top, left = GAP + i * (high + GAP), GAP + j * (wide + GAP)
                box = sheet[:, top : top + high, left : left + wide]
                _paint(box, cell[0], cell[1], films.get(id(cell[0])))
                shot = shots.get(id(cell[0]))
                if shot is not None:
                    photos.append((top + (wide - shot.shape[0]) // 2, left + (wide - shot.shape[1]) // 2, shot))
    return _Sheet(sheet, photos)


def _lines(row: GalleryRow, columns: int) -> list[list[tuple[Clip, Verdict] | None]]:
    """Cells of a row, wrapped; the first column belongs to the query."""
    cells = [(clip, verdict(row.query.label, clip.label)) for clip in row.results]
    cut = [cells[start : start + columns] for start in range(0, len(cells), columns)] or [[]]
    first: tuple[Clip, Verdict] = (row.query, "query")
    return [[first if number == 0 else None, *part] for number, part in enumerate(cut)]


def _paint(box: Indices, clip: Clip, kind: Verdict, film: Indices | None) -> None:
    """Frame, picture and caption of one clip into its part [T, high, wide] of the sheet."""
    T, _, wide = box.shape
    box[:, :wide, :] = _FRAME_COLOURS[kind]
    box[:, BORDER : wide - BORDER, BORDER : wide - BORDER] = 0
    if film is None:
        _write(box, "no picture", wide // 2 - LINE // 2)
    else:
        _, H, W = film.shape
        top, left = (wide - H) // 2, (wide - W) // 2
        box[:, top : top + H, left : left + W] = film[np.arange(T) * len(film) // T]
    distance = "" if clip.distance is None else f"{clip.distance} bits"
    _write(box, "no label" if clip.label is None else clip.label, wide)
    _write(box, f"{distance} {MARKS[kind]}".strip(), wide + LINE)


def _write(box: Indices, text: str, top: int) -> None:
    """One centred line of text in greys, shortened until it fits."""
    wide = box.shape[2]
    font = ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), TEXT)
    most = len(text) + 1
    line = one_line(text, most)
    while most > 2 and font.getlength(line) > wide:
        most -= 1
        line = one_line(text, most)
    mask = Image.new("L", (wide, LINE), 0)
    ImageDraw.Draw(mask).text((wide // 2, LINE // 2), line, fill=255, font=font, anchor="mm")
    greys = (np.asarray(mask, dtype=np.uint16) * (GREY_LEVELS - 1) + 127) // 255
    box[:, top : top + LINE][:, greys > 0] = (GREYS + greys[greys > 0]).astype(np.uint8)
