"""Which queries are shown to a reviewer, against sorting by hand."""

from dataclasses import replace

import numpy as np
import pytest
from measured_cases import clips, measured

from spikinghash.evaluation.changed_queries import ChangedQuery, changed_queries

ONE = measured("m", clips(6, "ab"), clips(6, "ab", start=100)).evidence


def evidence(expected, recordings=(1, 2, 3, 4, 5, 6)):
    values = np.array(expected, float)
    return replace(ONE, precision=np.stack([values] * 3), recordings=np.array(recordings, np.uint64))


def test_the_largest_changes_come_first_and_what_stayed_in_neither():
    first = evidence([0.5, 0.5, 0.5, 0.9, 0.9, 0.2])
    second = evidence([0.6, 0.9, 0.5, 0.1, 0.8, np.nan])
    better, worse = changed_queries(first, second, 3)
    assert better == (ChangedQuery(1, 0.5, 0.9), ChangedQuery(0, 0.5, 0.6))
    assert worse == (ChangedQuery(3, 0.9, 0.1), ChangedQuery(4, 0.9, 0.8))
    assert changed_queries(first, second, 1) == (better[:1], worse[:1])
    assert changed_queries(first, first, 3) == ((), ())


def test_a_recording_is_shown_once_and_unknown_ones_are_each_their_own():
    first, second = evidence([0.0] * 6, (7, 7, 7, 0, 0, 9)), evidence([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    better, worse = changed_queries(first, second, 4)
    assert [one.query for one in better] == [0, 3, 4, 5]
    assert worse == ()


@pytest.mark.parametrize("seed", range(5))
def test_is_what_sorting_all_of_them_gives(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.random(6), rng.random(6)
    better, worse = changed_queries(evidence(a), evidence(b), 2)
    by_gain = sorted(range(6), key=lambda place: a[place] - b[place])
    assert [one.query for one in better] == [place for place in by_gain if b[place] > a[place]][:2]
    assert [one.query for one in worse] == [place for place in by_gain[::-1] if b[place] < a[place]][:2]
