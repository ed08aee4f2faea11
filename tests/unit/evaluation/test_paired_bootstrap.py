"""The bootstrap against one that draws recording by recording."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinghash.errors import ConfigError
from spikinghash.evaluation.paired_bootstrap import DRAWS, draw_means, interval, upper_bound


def slow_means(differences, groups, rng, draws):
    names = sorted(set(groups.tolist()))
    members = [[d for d, g in zip(differences, groups, strict=True) if g == name] for name in names]
    means = []
    for _ in range(draws):
        drawn = [members[i] for i in rng.integers(0, len(members), (1, len(members)))[0]]
        everything = [d for some in drawn for d in some]
        means.append(sum(everything) / len(everything))
    return np.array(means)


@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_is_that_of_one_recording_at_a_time(queries, recordings, seed):
    rng = np.random.default_rng(seed)
    differences = rng.normal(size=queries)
    groups = rng.integers(0, recordings, queries).astype(np.uint64)
    slow = slow_means(differences, groups, np.random.default_rng(5), 64)
    np.testing.assert_allclose(draw_means(differences, groups, np.random.default_rng(5), 64), slow, atol=1e-12)


def test_the_bound_covers_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(300):
        differences = rng.normal(0.1, 1.0, 60)
        covered += upper_bound(differences, np.arange(60, dtype=np.uint64), 0.9, seed) >= 0.1
    # 300 draws of 0.9: a deviation is 5.2; the percentile interval is a little narrow for so few
    assert 250 <= covered <= 288


def test_it_is_the_same_each_time_and_more_draws_change_little():
    differences = np.random.default_rng(1).normal(size=80)
    groups = np.arange(80, dtype=np.uint64) // 4
    assert upper_bound(differences, groups, 0.95) == upper_bound(differences, groups, 0.95)
    many = np.quantile(draw_means(differences, groups, np.random.default_rng(9), 20 * DRAWS), 0.95)
    assert upper_bound(differences, groups, 0.95) == pytest.approx(many, abs=0.01)


def test_equal_models_differ_by_nothing():
    assert upper_bound(np.zeros(5), np.arange(5, dtype=np.uint64), 0.95) == 0.0


@pytest.mark.parametrize(("count", "groups", "confidence"), [(0, 0, 0.9), (3, 2, 0.9), (3, 3, 1.0), (3, 3, 0.0)])
def test_what_cannot_be_compared_is_refused(count, groups, confidence):
    with pytest.raises(ConfigError):
        upper_bound(np.zeros(count), np.zeros(groups, np.uint64), confidence)


def test_the_interval_is_between_the_bounds_of_half_the_rest():
    rng = np.random.default_rng(1)
    differences, groups = rng.normal(size=40), np.arange(40, dtype=np.uint64)
    low, high = interval(differences, groups, 0.9)
    assert high == upper_bound(differences, groups, 0.95)
    assert low == pytest.approx(-upper_bound(-differences, groups, 0.95))
    with pytest.raises(ConfigError, match="a confidence lies"):
        interval(differences, groups, 1.0)
