"""Average precision at k: the three forms, by literal cases and against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranking_cases import at_distances, average_precision, random_task

from spikinghash.errors import ConfigError
from spikinghash.evaluation.hamming import hamming_distances
from spikinghash.evaluation.map_at_k import average_precision_at, precision_at
from spikinghash.evaluation.retrieval import retrieval

RANKED = [1, 0, 0, 1, 0, 1]  # hits at ranks 1, 4, 6: precisions 1, 2/4, 3/6


@pytest.mark.parametrize(
    ("k", "form", "value"),
    [
        (2, "A", 1.0),  # one hit in the top 2, at rank 1: a perfect score for one item found of three
        (2, "B", (1 + 2 / 4) / 2),  # looks past rank 2 for the second relevant item
        (2, "C", 1 / 2),
        (4, "A", (1 + 2 / 4) / 2),
        (4, "B", (1 + 2 / 4 + 3 / 6) / 3),
        (4, "C", (1 + 2 / 4) / 3),
        (6, "A", 2 / 3),
        (6, "B", 2 / 3),
        (6, "C", 2 / 3),
        (99, "A", 2 / 3),
        (99, "B", 2 / 3),
        (99, "C", 2 / 3),
    ],
)
def test_literal_cases(k, form, value):
    metric = average_precision_at(at_distances(range(6), RANKED), k, form)
    assert metric.value == pytest.approx(value, abs=1e-15)
    assert metric.name == f"mAP@{k}-{form}"


@pytest.mark.parametrize(("form", "zero", "skip"), [("A", 0.5 / 3, 0.5), ("B", 0.25, 0.375), ("C", 0.5 / 3, 0.25)])
def test_queries_that_find_nothing(form, zero, skip):
    """Query 0 has a hit at rank 2, query 1 one beyond the cut, query 2 nothing at all."""
    gallery = np.array([[0], [1], [3], [7]], np.uint8)
    relevant = np.array([[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=bool)
    task = retrieval(np.zeros((3, 1), np.uint8), gallery, relevant)
    zeros, skips = (average_precision_at(task, 2, form, empty=empty) for empty in ("zero", "skip"))
    assert zeros.value == pytest.approx(zero)
    assert skips.value == pytest.approx(skip)
    assert zeros.protocol["queries_averaged"] == 3
    assert skips.protocol["queries_averaged"] == (1 if form == "A" else 2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 45), st.sampled_from("ABC"), st.integers(0, 16))
def test_equals_the_definition(seed, k, form, spread):
    task = random_task(np.random.default_rng(seed), spread=spread)
    distances, relevant = hamming_distances(task.queries, task.gallery), task.relevance(0, 9)
    wanted, precisions = [], []
    for query in range(9):
        order = sorted(range(40), key=lambda item, query=query: (distances[query, item], item))
        ranked = [int(relevant[query, item]) for item in order]
        wanted.append(average_precision(ranked, k, form))
        precisions.append(sum(ranked[:k]) / min(k, 40))
    np.testing.assert_allclose(average_precision_at(task, k, form).per_query, wanted, atol=1e-12)
    np.testing.assert_allclose(precision_at(task, k).per_query, precisions, atol=1e-12)


def test_ties_are_broken_by_clip_id():
    tied = {"distances": [1, 1], "relevant": [0, 1]}
    first = at_distances(**tied, clip_ids=["b", "a"])
    last = at_distances(**tied, clip_ids=["a", "b"])
    assert average_precision_at(first, 1, "C").value == 1
    assert average_precision_at(last, 1, "C").value == 0
    assert precision_at(first, 1).value == 1


def test_what_is_not_a_question_is_refused():
    task = at_distances([0], [1])
    for refused in (
        lambda: average_precision_at(task, 0, "A"),
        lambda: average_precision_at(task, 1, "D"),
        lambda: precision_at(task, 0),
    ):
        with pytest.raises(ConfigError):
            refused()
