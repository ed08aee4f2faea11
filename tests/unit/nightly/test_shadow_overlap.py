"""The overlap of two models' neighbours against a slow oracle, over what both have hashed alone."""

import numpy as np
import pytest
from archive_cases import DAY, START, archive, digest, rows, some_codes

from spikinghash.nightly.shadow_overlap import K, shadow_overlap

MODEL, SHADOW = "a" * 64, "b" * 64
OURS, THEIRS = some_codes(120, 1), some_codes(120, 2)


def ranked(codes, query, numbers):
    distances = [(int(np.bitwise_count(codes[i] ^ codes[query]).sum()), digest(i)) for i in numbers if i != query]
    return {name for _, name in sorted(distances)[:K]}


def test_overlap_is_that_of_the_oracle_for_tonights_clips(tmp_path):
    database = archive(tmp_path / "db", (range(80), OURS, START), (range(80, 100), OURS, START + 2 * DAY))
    # the shadow lacks some of ours and has others; of a part of the old ones its codes came tonight
    for numbers, at in ((range(10, 70), START), (range(70, 95), START + 2 * DAY), (range(100, 120), START + 2 * DAY)):
        database.append(rows(numbers, THEIRS, at, SHADOW))
    both, tonight = range(10, 95), range(70, 95)
    expected = {i: len(ranked(OURS, i, both) & ranked(THEIRS, i, both)) / K for i in tonight}
    found = shadow_overlap(database, database.load(MODEL), SHADOW, START + DAY)
    assert (found["both"], found["asked"], found["k"]) == (85, 25, K)
    assert found["overlap"] == pytest.approx(np.mean(list(expected.values())))
    assert 0 < found["overlap"] < 1
    assert [one["overlap"] for one in found["least"]] == sorted(expected.values())[:5]
    assert all(one["recording"].endswith(".bin") for one in found["least"])


def test_equal_codes_find_the_same(tmp_path):
    database = archive(tmp_path / "db", (range(50), OURS, START), (range(50), OURS, START, SHADOW))
    assert shadow_overlap(database, database.load(MODEL), SHADOW, START)["overlap"] == 1.0


def test_where_nothing_can_be_compared_there_is_no_figure(tmp_path):
    database = archive(tmp_path / "db", (range(5), OURS, START))
    codes = database.load(MODEL)
    assert shadow_overlap(database, codes, SHADOW, START)["overlap"] is None
    database.append(rows(range(10, 15), THEIRS, START, SHADOW))
    found = shadow_overlap(database, codes, SHADOW, START)
    assert (found["both"], found["overlap"]) == (0, None)
    database.append(rows([0], THEIRS, START, SHADOW))
    found = shadow_overlap(database, codes, SHADOW, START)
    assert (found["both"], found["overlap"]) == (1, None)  # it has no neighbour
    assert shadow_overlap(database, codes, SHADOW, START + DAY)["overlap"] is None
