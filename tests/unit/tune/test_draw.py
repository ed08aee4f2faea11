"""Points of a search space: within bounds, seeded, different, and laid over params.yaml by key."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinghash.errors import ConfigError
from spikinghash.tune.draw import Choice, Range, changes, draw_points

SPACE = {"train.lr": Range(1e-4, 1e-1, log=True), "train.epochs": Range(1, 9), "train.optimiser": Choice(("a", "b"))}


@given(st.floats(1e-6, 1e3), st.floats(1.01, 1e4), st.booleans(), st.integers(0, 2**32))
def test_numbers_stay_within_their_bounds(low, factor, log, seed):
    domain = Range(low, low * factor, log)
    assert domain.low <= domain.draw(np.random.default_rng(seed)) <= domain.high


def test_whole_bounds_give_whole_numbers_and_a_logarithm_all_orders_of_magnitude():
    points = draw_points(SPACE, 200, 0)
    assert {type(point["train.epochs"]) for point in points} == {int}
    assert {point["train.epochs"] for point in points} == set(range(1, 10))
    assert {point["train.optimiser"] for point in points} == {"a", "b"}
    decades = [int(np.floor(np.log10(point["train.lr"]))) for point in points]
    assert all(40 < decades.count(decade) < 95 for decade in (-4, -3, -2))


def test_a_seed_gives_the_same_points_and_more_of_them_begin_alike():
    assert draw_points(SPACE, 5, 1) == draw_points(SPACE, 9, 1)[:5]
    assert draw_points(SPACE, 5, 1) != draw_points(SPACE, 5, 2)


def test_no_point_comes_twice():
    few = {"train.optimiser": Choice(("a", "b", "c"))}
    assert sorted(point["train.optimiser"] for point in draw_points(few, 3, 0)) == ["a", "b", "c"]
    with pytest.raises(ConfigError, match=r"3 different points, tune.trials asks for 4"):
        draw_points(few, 4, 0)


def test_a_point_as_changes_of_the_file():
    point = {"train.lr": 0.1, "train.augment.drop": 0.2, "model.bits": 16}
    assert changes(point) == {"train": {"lr": 0.1, "augment": {"drop": 0.2}}, "model": {"bits": 16}}
