"""What a reviewer is shown: neighbours, maps and confusion of both models."""

import numpy as np
import pytest
from measured_cases import class_codes, clips, measured

from spikinghash.errors import ConfigError
from spikinghash.evaluation.code_map import code_map, draw_sample
from spikinghash.evaluation.compare_models import compare_models
from spikinghash.evaluation.gate import Verdict
from spikinghash.evaluation.hamming import hamming_distances
from spikinghash.evaluation.review import SHOWN, review

QUERIES, GALLERY = clips(20, "abc"), clips(30, "abc", start=100)
GOOD = measured("good", QUERIES, GALLERY, flip=0.1)
BAD = measured("bad", QUERIES, GALLERY, flip=0.45, seed=1)


def look(first, second):
    return review(first, second, compare_models(first.evidence, second.evidence, Verdict("b", "a", ())), 0.95, "zero")


def test_a_worse_model_is_seen_to_be_worse():
    found = look(GOOD, BAD)
    low, high = found.difference
    assert low < BAD.evidence.map - GOOD.evidence.map < high < 0
    assert len(found.worse) == 3
    assert all(one.second < one.first for one in found.worse)
    assert np.trace(found.first.confusion.counts) > np.trace(found.second.confusion.counts)
    assert found.first.confusion.counts.sum() == found.second.confusion.counts.sum() == len(GOOD.queries)
    assert found.first.points.shape == found.second.points.shape == (20, 2)


def test_neighbours_of_what_changed_are_the_nearest_ones_of_either_model():
    found = look(GOOD, BAD)
    places = {one.query for one in (*found.better, *found.worse)}
    for side, one in ((found.first, GOOD), (found.second, BAD)):
        assert set(side.found) == places
        for place, said in side.found.items():
            distances = hamming_distances(one.queries.codes[place : place + 1], one.gallery.codes)[0]
            nearest = sorted(zip(distances.tolist(), one.gallery.clip_ids, strict=True))[:SHOWN]
            assert [(hit["distance"], hit["clip_id"]) for hit in said["results"]] == nearest
            assert said["clip_id"] == one.queries.clip_ids[place]


def test_other_queries_are_not_compared():
    with pytest.raises(ConfigError, match="different queries"):
        look(GOOD, measured("bad", clips(20, "abc", start=1), GALLERY))


def test_a_map_keeps_classes_together_and_is_drawn_alike_again():
    labels = np.array(clips(60, "abc")[1])
    codes = class_codes(np.random.default_rng(3), labels.tolist(), 64, 0.05)
    points = code_map(codes)
    assert (points == code_map(codes)).all()
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (labels[apart.argmin(axis=1)] == labels).mean() > 0.95


def test_a_map_of_equal_codes_is_a_map_and_of_few_there_is_none():
    assert np.isfinite(code_map(np.zeros((12, 2), np.uint8))).all()
    assert code_map(np.zeros((7, 2), np.uint8)) is None


def test_a_sample_is_no_larger_than_asked_and_the_same_again():
    drawn = draw_sample(50, 10)
    assert len(set(drawn.tolist())) == 10
    assert (np.diff(drawn) > 0).all()
    assert (drawn == draw_sample(50, 10)).all()
    assert draw_sample(5, 10).tolist() == [0, 1, 2, 3, 4]
