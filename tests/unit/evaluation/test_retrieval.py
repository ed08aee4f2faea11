"""Distances, relevance, and the checks on a retrieval task."""

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import ConfigError, StaleModel
from spikinghash.evaluation.hamming import hamming_distances
from spikinghash.evaluation.map_at_k import precision_at
from spikinghash.evaluation.relevance import given, same_label
from spikinghash.evaluation.retrieval import between, retrieval

CODES = np.array([[0], [1], [3]], np.uint8)


@forall(st.integers(1, 33), st.integers(0, 6), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_distance_is_the_number_of_bits_that_differ(width, queries, items, seed):
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 256, (queries, width), dtype=np.uint8)
    right = rng.integers(0, 256, (items, width), dtype=np.uint8)
    distances = hamming_distances(left, right)
    assert distances.shape == (queries, items)
    for q in range(queries):
        for n in range(items):
            assert distances[q, n] == sum(int(a ^ b).bit_count() for a, b in zip(left[q], right[n], strict=True))


def test_opposite_codes_of_512_bits_are_512_apart():
    codes = np.array([[0] * 64, [255] * 64], np.uint8)
    assert hamming_distances(codes, codes).tolist() == [[0, 512], [512, 0]]


def test_codes_of_different_width_are_not_compared():
    with pytest.raises(StaleModel, match="8 bits, the gallery 16"):
        hamming_distances(CODES, np.zeros((1, 2), np.uint8))
    with pytest.raises(ConfigError):
        hamming_distances(CODES, np.zeros((1, 1), np.int64))


def test_same_label():
    relevance = same_label(["cat", "dog", "cow"], np.array(["dog", "cat", "dog"], dtype=object))
    assert relevance(0, 3).tolist() == [[False, True, False], [True, False, True], [False, False, False]]
    assert relevance(1, 2).tolist() == [[True, False, True]]
    with pytest.raises(ConfigError, match="gallery clip has no label"):
        same_label(["cat"], ["cat", None])


def test_relevance_may_be_a_matrix_or_a_function():
    matrix = np.eye(3, dtype=bool)
    for relevance in (matrix, given(matrix), same_label([1, 2, 3], [1, 2, 3])):
        assert precision_at(retrieval(CODES, CODES, relevance), 1).value == 1
    with pytest.raises(ConfigError):
        given(matrix.astype(int))
    with pytest.raises(ConfigError, match="relevance is"):
        precision_at(retrieval(CODES, CODES, matrix[:, :2]), 1)


def test_a_query_in_the_gallery_is_refused_unless_allowed():
    ids, matrix = ["a", "b", "c"], np.eye(3, dtype=bool)
    with pytest.raises(ConfigError, match="1 queries are also in the gallery, for example b"):
        retrieval(CODES, CODES, matrix, clip_ids=ids, query_ids=["x", "b", "y"])
    task = retrieval(CODES, CODES, matrix, clip_ids=ids, query_ids=ids, allow_overlap=True)
    assert precision_at(task, 1).value == 1


@pytest.mark.parametrize(
    ("queries", "gallery", "options"),
    [
        (CODES[:0], CODES, {}),
        (CODES, CODES[:0], {}),
        (CODES, CODES, {"clip_ids": ["a", "b"]}),
        (CODES, CODES, {"clip_ids": ["a", "b", "b"]}),
        (CODES, CODES, {"block": 0}),
    ],
)
def test_tasks_that_cannot_be_ranked_are_refused(queries, gallery, options):
    with pytest.raises(ConfigError):
        retrieval(queries, gallery, np.zeros((len(queries), len(gallery)), dtype=bool), **options)


def code_set(ids, labels, model="m1"):
    n = len(ids)
    empty = np.array([None] * n, dtype=object)
    codes, times = CODES[:n], np.zeros(n, np.int64)
    names = np.array(list(ids), dtype=object)
    return CodeSet(names, codes, np.array(labels, dtype=object), empty, empty, times, times, model, 8, 1)


def test_between_two_code_sets():
    queries, gallery = code_set("ab", ["cat", "dog"]), code_set("cde", ["cat", "dog", "cow"])
    assert precision_at(between(queries, gallery), 1).value == 1
    assert precision_at(between(queries, gallery, np.zeros((2, 3), dtype=bool)), 1).value == 0
    with pytest.raises(StaleModel, match="m1, gallery of model m2"):
        between(queries, code_set("cde", ["cat", "dog", "cow"], model="m2"))
    with pytest.raises(ConfigError, match="also in the gallery"):
        between(queries, code_set("bcd", ["cat", "dog", "cow"]))
    with pytest.raises(ConfigError, match="no label"):
        between(queries, code_set("cde", ["cat", None, "cow"]))
