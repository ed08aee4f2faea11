"""Tie-aware average precision against brute force, scikit-learn and its own bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranking_cases import at_distances, average_precision, orders, random_task
from sklearn.metrics import average_precision_score

from spikinghash.errors import ConfigError
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.hamming import hamming_distances
from spikinghash.evaluation.map_at_k import average_precision_at
from spikinghash.evaluation.retrieval import retrieval
from spikinghash.evaluation.tie_aware import tied_average_precision, tied_precision

small = st.integers(1, 7).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 3), min_size=n, max_size=n), st.lists(st.integers(0, 1), min_size=n, max_size=n)
    )
)


@settings(max_examples=60, deadline=None)
@given(small, st.integers(1, 8))
def test_equals_brute_force_over_all_orders_of_ties(case, cut):
    distances, relevant = case
    counts = distance_histogram(at_distances(distances, relevant))
    lists = [[relevant[item] for item in order] for order in orders(distances)]
    for k in (None, cut):
        end = len(relevant) if k is None else k
        scores = [average_precision(ranked, end) for ranked in lists]
        metric = tied_average_precision(counts, k)
        assert metric.value == pytest.approx(np.mean(scores), abs=1e-12)
        assert metric.worst == pytest.approx(min(scores), abs=1e-12)
        assert metric.best == pytest.approx(max(scores), abs=1e-12)
    precisions = [sum(ranked[:cut]) / min(cut, len(relevant)) for ranked in lists]
    metric = tied_precision(counts, cut)
    assert metric.value == pytest.approx(np.mean(precisions), abs=1e-12)
    assert metric.worst == pytest.approx(min(precisions), abs=1e-12)
    assert metric.best == pytest.approx(max(precisions), abs=1e-12)


def test_equals_monte_carlo_on_a_larger_gallery():
    rng = np.random.default_rng(3)
    distances, relevant = rng.integers(0, 6, 200), rng.random(200) < 0.2
    shuffles = []
    for _ in range(500):
        order = rng.permutation(200)
        order = order[np.argsort(distances[order], kind="stable")]
        shuffles.append(average_precision(relevant[order].astype(int).tolist(), 200))
    metric = tied_average_precision(distance_histogram(at_distances(distances, relevant)))
    assert abs(metric.value - np.mean(shuffles)) < 4 * np.std(shuffles) / np.sqrt(500)
    assert metric.worst < min(shuffles)
    assert max(shuffles) < metric.best


def test_equals_scikit_learn_without_ties():
    rng = np.random.default_rng(4)
    for _ in range(50):
        items = int(rng.integers(2, 200))
        distances, relevant = rng.permutation(items), rng.random(items) < 0.3
        relevant[0] = True
        task = at_distances(distances, relevant)
        wanted = average_precision_score(relevant, -distances)
        metric = tied_average_precision(distance_histogram(task))
        assert metric.value == pytest.approx(wanted, abs=1e-12)
        assert metric.worst == pytest.approx(wanted, abs=1e-12)
        assert metric.best == pytest.approx(wanted, abs=1e-12)
        for form in "ABC":
            assert average_precision_at(task, items, form).value == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 16), st.integers(1, 60))
def test_worst_expected_and_best_are_in_order_and_hold_every_order(seed, spread, k):
    task = random_task(np.random.default_rng(seed), spread=spread)
    counts = distance_histogram(task)
    for metric, any_order in [
        (tied_average_precision(counts), average_precision_at(task, 40, "C")),
        (tied_average_precision(counts, k), average_precision_at(task, k, "C")),
    ]:
        assert 0 <= metric.worst <= metric.value + 1e-12
        assert metric.value <= metric.best + 1e-12
        assert metric.best <= 1 + 1e-12
        assert metric.worst - 1e-12 <= any_order.value <= metric.best + 1e-12


def test_shuffling_the_gallery_changes_no_number():
    rng = np.random.default_rng(5)
    plain = random_task(rng, spread=3)
    ids = np.array([f"clip-{n:03}" for n in range(40)], dtype=object)
    relevant = plain.relevance(0, 9)
    counts = distance_histogram(plain)
    wanted = [tied_average_precision(counts).to_dict(), tied_precision(counts, 7).to_dict()]
    wanted += [average_precision_at(plain, 7, form).to_dict() for form in "ABC"]
    for _ in range(200):
        order = rng.permutation(40)
        task = retrieval(plain.queries, plain.gallery[order], relevant[:, order], clip_ids=ids[order])
        counts = distance_histogram(task)
        found = [tied_average_precision(counts).to_dict(), tied_precision(counts, 7).to_dict()]
        found += [average_precision_at(task, 7, form).to_dict() for form in "ABC"]
        assert found == wanted


def test_one_mask_over_all_codes_changes_no_number():
    rng = np.random.default_rng(6)
    task = random_task(rng, width=3, spread=24)
    mask = rng.integers(0, 256, 3, dtype=np.uint8)
    masked = retrieval(task.queries ^ mask, task.gallery ^ mask, task.relevance)
    np.testing.assert_array_equal(distance_histogram(task).items, distance_histogram(masked).items)
    assert (
        tied_average_precision(distance_histogram(task)).to_dict()
        == tied_average_precision(distance_histogram(masked)).to_dict()
    )
    for form in "ABC":
        assert average_precision_at(task, 9, form).to_dict() == average_precision_at(masked, 9, form).to_dict()


@pytest.mark.parametrize("block", [1, 2, 4, 9, 100])
def test_the_block_size_changes_no_number(block):
    wanted = random_task(np.random.default_rng(7), spread=4)
    task = random_task(np.random.default_rng(7), spread=4, block=block)
    assert (
        tied_average_precision(distance_histogram(task)).to_dict()
        == tied_average_precision(distance_histogram(wanted)).to_dict()
    )
    for form in "ABC":
        assert average_precision_at(task, 9, form).to_dict() == average_precision_at(wanted, 9, form).to_dict()


def test_large_galleries_stay_exact():
    """One tie of a million: every rank is equally likely, so E[AP] has a simple form."""
    items, relevant = 1_000_000, np.zeros((1, 1_000_000), dtype=bool)
    relevant[0, :10] = True
    task = retrieval(np.zeros((1, 2), np.uint8), np.zeros((items, 2), np.uint8), relevant)
    harmonic = np.sum(1 / np.arange(1, items + 1))
    wanted = (harmonic + 9 / (items - 1) * (items - harmonic)) / items
    assert tied_average_precision(distance_histogram(task)).value == pytest.approx(wanted, rel=1e-12)


def test_nothing_relevant_all_relevant_one_item():
    nothing = distance_histogram(at_distances([0, 1, 1], [0, 0, 0]))
    assert tied_average_precision(nothing).value == 0
    with pytest.raises(ConfigError, match="no query has a relevant item"):
        tied_average_precision(nothing, empty="skip")
    everything = tied_average_precision(distance_histogram(at_distances([0, 1, 1], [1, 1, 1])))
    assert (everything.worst, everything.value, everything.best) == pytest.approx((1, 1, 1))
    assert tied_average_precision(distance_histogram(at_distances([5], [1]))).value == 1


def test_empty_queries_count_zero_or_not_at_all():
    queries, gallery = np.zeros((2, 1), np.uint8), np.array([[0], [1]], np.uint8)
    counts = distance_histogram(retrieval(queries, gallery, np.array([[True, False], [False, False]])))
    zero, skip = (tied_average_precision(counts, empty=empty) for empty in ("zero", "skip"))
    assert (zero.value, skip.value) == (0.5, 1.0)
    assert (zero.protocol["queries_averaged"], skip.protocol["queries_averaged"]) == (2, 1)
    with pytest.raises(ConfigError, match="empty is"):
        tied_average_precision(counts, empty="drop")


def test_a_metric_says_how_it_was_made():
    metric = tied_average_precision(distance_histogram(at_distances([0, 1, 1], [1, 0, 1])), k=2).to_dict()
    assert metric["name"] == "expected mAP@2-C"
    assert set(metric) == {"name", "value", "worst", "best", "protocol"}
    assert metric["protocol"]["denominator"] == "min(R, k)"
    assert (metric["protocol"]["queries"], metric["protocol"]["database"], metric["protocol"]["bits"]) == (1, 3, 8)
    assert "McSherry" in metric["protocol"]["ties"]


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(k):
    counts = distance_histogram(at_distances([0], [1]))
    with pytest.raises(ConfigError):
        tied_average_precision(counts, k)
    with pytest.raises(ConfigError):
        tied_precision(counts, k)


def test_the_tally_counts_every_pair_once():
    task = random_task(np.random.default_rng(8), width=9, spread=72)
    counts = distance_histogram(task)
    distances = hamming_distances(task.queries, task.gallery)
    relevant = task.relevance(0, 9)
    for query in range(9):
        for level in range(73):
            at = distances[query] == level
            assert counts.items[query, level] == at.sum()
            assert counts.relevant[query, level] == (at & relevant[query]).sum()
