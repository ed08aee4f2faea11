import base64
import io

import numpy as np
import pytest
from PIL import Image

from spikinghash.report.documents import QueryResult
from spikinghash.report.gallery_cells import SIDE, clip_ids, gallery_rows
from spikinghash.report.select_queries import select_queries


def chosen(count=1):
    results = [{"clip_id": f"n{place}", "label": "ab"[place % 2], "distance": place} for place in range(2)]
    return select_queries([QueryResult(clip_id=f"q{n}", label="a", results=results) for n in range(count)], count, 8)


def noise(side, steps=16):
    return np.random.default_rng(3).integers(0, 9, (steps, 2, side, side)).astype(np.uint8)


@pytest.mark.parametrize("side", [34, 64, 100, 102, 128, 346])
def test_a_gallery_of_noise_stays_below_5_mb_and_within_its_frames(side):
    row = gallery_rows(chosen(), {"q0": noise(side)})[0]
    assert len(row.query.uri) * 72 < 4_400_000
    assert max(row.query.width, row.query.height) <= SIDE


def test_a_cell_is_an_animation_of_the_stated_size():
    cell = gallery_rows(chosen(), {"q0": noise(34, steps=4)})[0].query
    with Image.open(io.BytesIO(base64.b64decode(cell.uri.split(",")[1]))) as film:
        assert film.n_frames == 4
        assert film.size == (cell.width, cell.height) == (102, 102)


def test_verdicts_and_missing_pictures():
    row = gallery_rows(chosen(), {})[0]
    assert [cell.verdict for cell in (row.query, *row.results)] == ["query", "same", "other"]
    assert [cell.mark for cell in row.results] == ["✓", "✗"]
    assert row.query.uri is None


def test_a_heading_opens_each_group():
    assert [row.heading for row in gallery_rows(chosen(4), {})] == [
        "Best queries",
        None,
        "Middling queries",
        "Worst queries",
    ]


def test_clip_ids_are_those_of_queries_and_results():
    assert clip_ids(chosen(2)) == {"q0", "q1", "n0", "n1"}
