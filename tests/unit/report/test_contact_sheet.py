import io

import numpy as np
import pytest
from PIL import Image

from spikinghash.report.gallery import BORDER, GAP, PAD, Clip, GalleryRow, gallery_gif, verdict
from spikinghash.report.palette import NEUTRAL_RGB, OTHER_RGB, SAME_RGB

SIDE = 48
STEP = SIDE + 2 * (BORDER + PAD) + GAP


def clip(label, distance=None, steps=4, size=12):
    counts = np.zeros((steps, 2, size, size), dtype=np.uint8)
    counts[np.arange(steps), 1, 3, np.arange(steps)] = 2
    return Clip("id", label, counts, distance)


def row(*labels, query="a", **kind):
    return GalleryRow(clip(query, **kind), [clip(label, distance, **kind) for distance, label in enumerate(labels)])


def first_frame(rows):
    with Image.open(io.BytesIO(gallery_gif(rows, side=SIDE))) as film:
        return np.asarray(film.convert("RGB"))


def frame_colours(rgb, cells):
    """Colour of the upper left corner of each frame of the first line."""
    return [tuple(rgb[GAP + 1, GAP + place * STEP + 1]) for place in range(cells)]


def test_frames_are_green_for_the_same_class_red_for_another_grey_for_the_query_and_the_unknown():
    assert frame_colours(first_frame([row("a", "b", None)]), 4) == [NEUTRAL_RGB, SAME_RGB, OTHER_RGB, NEUTRAL_RGB]


def test_a_query_without_label_judges_nothing():
    assert set(frame_colours(first_frame([row("a", None, query=None)]), 3)) == {NEUTRAL_RGB}


def test_the_gif_has_the_same_frames_on_every_frame_and_as_many_as_the_longest_clip():
    long = GalleryRow(clip("a", steps=2), [clip("b", 1, steps=6), clip("a", 2, steps=3, size=30)])
    with Image.open(io.BytesIO(gallery_gif([long], side=SIDE))) as film:
        assert film.n_frames == 6
        for number in range(6):
            film.seek(number)
            assert frame_colours(np.asarray(film.convert("RGB")), 3) == [NEUTRAL_RGB, OTHER_RGB, SAME_RGB]


def test_more_neighbours_than_columns_go_on_below():
    wrapped, single = (gallery_gif([row(*labels)], side=SIDE, columns=2) for labels in ("aab", "aa"))
    with Image.open(io.BytesIO(wrapped)) as two, Image.open(io.BytesIO(single)) as one:
        assert two.width == one.width == GAP + 3 * STEP
        assert two.height == 2 * one.height - GAP


def test_a_clip_without_picture_and_hostile_labels_are_drawn():
    strange = "\x00\n<b>" + "W" * 500 + "\ud800"
    rows = [GalleryRow(Clip("q", strange, None), [Clip("n", "漢字 $x_1$", None, 3)])]
    with Image.open(io.BytesIO(gallery_gif(rows, side=SIDE))) as film:
        assert getattr(film, "n_frames", 1) == 1


def test_a_query_without_neighbours_is_drawn():
    assert frame_colours(first_frame([row()]), 1) == [NEUTRAL_RGB]


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="at least one row"):
        gallery_gif([])


def test_sheets_are_deterministic():
    assert gallery_gif([row("a", "b")]) == gallery_gif([row("a", "b")])


def test_verdict():
    assert [verdict("a", "a"), verdict("a", "b"), verdict(None, "a"), verdict("a", None)] == [
        "same",
        "other",
        "unknown",
        "unknown",
    ]
