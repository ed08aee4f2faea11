"""Precision-recall curves and look-up within a radius, by literal cases."""

import json

import numpy as np
import pytest
from ranking_cases import at_distances, random_task

from spikinghash.errors import ConfigError
from spikinghash.evaluation.curves import curve_by_radius, precision_within
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.hamming import hamming_distances
from spikinghash.evaluation.retrieval import retrieval

#: distance 1: one of two relevant; distance 3: the other one
ONE_QUERY = ([1, 1, 3], [1, 0, 1])


def test_curve_by_radius_leaves_out_radii_that_hold_nothing():
    curve = curve_by_radius(distance_histogram(at_distances(*ONE_QUERY)))
    assert curve.radius.tolist() == list(range(1, 9))
    assert curve.precision[:3].tolist() == [1 / 2, 1 / 2, 2 / 3]
    assert curve.recall[:3].tolist() == [1 / 2, 1 / 2, 1]
    assert json.loads(json.dumps(curve.to_dict()))["protocol"]["averaging"].startswith("micro")


def test_curve_by_radius_equals_counting_pairs():
    task = random_task(np.random.default_rng(0), spread=16)
    distances, relevant = hamming_distances(task.queries, task.gallery), task.relevance(0, 9)
    curve = curve_by_radius(distance_histogram(task))
    for radius, precision, recall in zip(curve.radius, curve.precision, curve.recall, strict=True):
        within = distances <= radius
        assert precision == pytest.approx((within & relevant).sum() / within.sum())
        assert recall == pytest.approx((within & relevant).sum() / relevant.sum())
    assert curve.recall[-1] == 1


def test_within_a_radius():
    near, far = np.zeros((1, 1), np.uint8), np.full((1, 1), 255, np.uint8)
    gallery = np.array([[0], [1], [3], [7]], np.uint8)
    relevant = np.array([[1, 0, 0, 1], [0, 0, 0, 0]], dtype=bool)
    counts = distance_histogram(retrieval(np.concatenate([near, far]), gallery, relevant))
    precision = precision_within(counts)
    assert precision.per_query.tolist() == [1 / 3, 0]
    assert precision.protocol["found_nothing"] == 1
    with pytest.raises(ConfigError):
        precision_within(counts, -1)


def test_without_relevant_items_there_is_no_curve():
    counts = distance_histogram(at_distances([0, 1], [0, 0]))
    with pytest.raises(ConfigError, match="no query has a relevant item"):
        curve_by_radius(counts)
