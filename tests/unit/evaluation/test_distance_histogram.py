"""The tally by classes counts what the tally by pairs counts, and precision sums are exact."""

from fractions import Fraction

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash.errors import ConfigError, StaleModel
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.hamming import hamming_distances
from spikinghash.evaluation.kernels.tie_aware import harmonic_numbers, precision_sums
from spikinghash.evaluation.relevance import given as given_matrix
from spikinghash.evaluation.relevance import same_label
from spikinghash.evaluation.retrieval import retrieval
from spikinghash.evaluation.tie_aware import tied_average_precision


def labelled(rng, queries, items, width, spread, classes, **options):
    """The same task twice: by labels, which are counted by classes, and by a matrix, which is counted by pairs."""
    codes = rng.integers(0, 2, (queries + items, width * 8), dtype=np.uint8)
    codes[:, spread:] = 0
    codes = np.packbits(codes, axis=1)
    asked, known = rng.integers(0, classes, queries), rng.integers(0, classes, items)
    rules = (same_label(asked, known), given_matrix(asked[:, None] == known[None, :]))
    return [retrieval(codes[:queries], codes[queries:], rule, **options) for rule in rules]


def assert_same_tally(task, other):
    left, right = distance_histogram(task), distance_histogram(other)
    np.testing.assert_array_equal(left.items, right.items)
    np.testing.assert_array_equal(left.relevant, right.relevant)
    assert left.items.dtype == right.items.dtype == left.relevant.dtype == right.relevant.dtype == np.int64
    assert tied_average_precision(left).to_dict() == tied_average_precision(right).to_dict()
    assert tied_average_precision(left, 7).to_dict() == tied_average_precision(right, 7).to_dict()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    queries=st.integers(1, 40),
    items=st.integers(1, 1500),
    width=st.integers(1, 40),
    spread=st.sampled_from([0, 3, 64, 400]),
    classes=st.sampled_from([1, 2, 10, 300]),
)
def test_by_classes_is_by_pairs(seed, queries, items, width, spread, classes):
    assert_same_tally(*labelled(np.random.default_rng(seed), queries, items, width, spread, classes))


@pytest.mark.parametrize("items", [16_384, 16_385, 40_000])
@pytest.mark.parametrize("width", [8, 32])
def test_galleries_of_more_than_one_stretch(items, width):
    assert_same_tally(*labelled(np.random.default_rng(items), 20, items, width, width * 8, 7))


def test_the_order_of_ties_and_classes_that_are_not_there():
    rng = np.random.default_rng(0)
    ids = rng.permutation([f"c{n:04}" for n in range(500)])
    assert_same_tally(*labelled(rng, 30, 500, 8, 9, 200, clip_ids=ids))


def test_opposite_codes_of_256_bits():
    codes = np.array([[0] * 32, [255] * 32], np.uint8)
    counts = distance_histogram(retrieval(codes, codes, same_label([0, 1], [0, 1])))
    assert np.argwhere(counts.items).tolist() == [[0, 0], [0, 256], [1, 0], [1, 256]]
    assert np.argwhere(counts.relevant).tolist() == [[0, 0], [1, 0]]


def test_equals_counting_one_by_one():
    task = labelled(np.random.default_rng(1), 9, 700, 8, 64, 3)[0]
    counts, distances, relevant = (
        distance_histogram(task),
        hamming_distances(task.queries, task.gallery),
        task.relevance(0, 9),
    )
    for query in range(9):
        for level in range(65):
            at = distances[query] == level
            assert counts.items[query, level] == at.sum()
            assert counts.relevant[query, level] == (at & relevant[query]).sum()


def test_the_number_of_threads_changes_nothing():
    task = labelled(np.random.default_rng(2), 100, 3000, 8, 64, 10)[0]
    before, found = numba.get_num_threads(), []
    try:
        for threads in range(1, before + 1):
            numba.set_num_threads(threads)
            found.append(np.stack([distance_histogram(task).items, distance_histogram(task).relevant]))
    finally:
        numba.set_num_threads(before)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.sampled_from([2, 8, 11]))
def test_laws(seed, width):
    rng = np.random.default_rng(seed)
    task = labelled(rng, 20, 600, width, 64, 5)[0]
    counts, mask = distance_histogram(task), rng.integers(0, 256, width, dtype=np.uint8)
    masked = distance_histogram(retrieval(task.queries ^ mask, task.gallery ^ mask, task.relevance))
    np.testing.assert_array_equal(masked.items, counts.items)
    np.testing.assert_array_equal(masked.relevant, counts.relevant)
    order = rng.permutation(20)
    moved = same_label(task.relevance.queries[order], task.relevance.gallery)
    np.testing.assert_array_equal(
        distance_histogram(retrieval(task.queries[order], task.gallery, moved)).items, counts.items[order]
    )
    assert (counts.items.sum(axis=1) == 600).all()


def test_labels_that_do_not_fit_are_refused():
    codes = np.zeros((3, 8), np.uint8)
    with pytest.raises(ConfigError, match="relevance is"):
        distance_histogram(retrieval(codes, codes, same_label([1, 2, 3], [1, 2])))
    with pytest.raises(StaleModel):
        distance_histogram(retrieval(codes[:, 1:], codes, same_label([1, 2, 3], [1, 2, 3])))


def exact_sums(items, relevant, cut):
    """Expected, worst and best sum of precisions in rational numbers, item by item."""
    expected = worst = best = Fraction(0)
    before = hits = 0
    for n, r in zip(items, relevant, strict=True):
        for place in range(1, n + 1):
            rank = before + place
            if rank > cut:
                break
            if r:
                others = Fraction((place - 1) * (r - 1), n - 1) if n > 1 else 0
                expected += Fraction(r, n) * (hits + 1 + others) / rank
            best += Fraction(hits + place, rank) if place <= r else 0
            worst += Fraction(hits + place - (n - r), rank) if place > n - r else 0
        before, hits = before + n, hits + r
    return expected, worst, best


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1)), min_size=1, max_size=6),
    st.integers(1, 250),
)
def test_precision_sums_are_exact(groups, cut):
    items = np.array([[n for n, _ in groups]])
    relevant = np.array([[round(n * share) for n, share in groups]])
    sums = np.empty((3, 1))
    precision_sums(items, relevant, min(cut, int(items.sum())), *harmonic_numbers(int(items.sum())), sums)
    wanted = exact_sums(items[0].tolist(), relevant[0].tolist(), cut)
    np.testing.assert_allclose(sums[:, 0], [float(value) for value in wanted], rtol=4e-15, atol=0)


def test_a_small_tie_after_a_large_one_keeps_its_digits():
    """m - (N + 1) D loses 12 of 16 digits here; in doubled float64 that leaves enough."""
    items, relevant = np.array([[1_000_000, 3]]), np.array([[0, 2]])
    sums = np.empty((3, 1))
    precision_sums(items, relevant, 1_000_003, *harmonic_numbers(1_000_003), sums)
    wanted = exact_sums([1, 3], [0, 2], 4)  # only to see that the order of sums is expected, worst, best
    assert wanted[1] < wanted[0] < wanted[2]
    ranks = [Fraction(1_000_000 + place) for place in (1, 2, 3)]
    best, worst = 1 / ranks[0] + 2 / ranks[1], 1 / ranks[1] + 2 / ranks[2]
    middle = (best + worst + 1 / ranks[0] + 2 / ranks[2]) / 3
    np.testing.assert_allclose(sums[:, 0], [float(v) for v in (middle, worst, best)], rtol=1e-15, atol=0)
