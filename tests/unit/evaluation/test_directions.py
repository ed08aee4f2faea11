"""Retrieval between modalities, against loops over every pair."""

import numpy as np
import pytest

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import ConfigError
from spikinghash.evaluation.directions import Direction, directions_of, evaluate_directions
from spikinghash.evaluation.graded import graded_ndcg
from spikinghash.evaluation.relevance import shared_label
from spikinghash.evaluation.retrieval import retrieval

NAMES = ("a", "b", "c", "d")


def codes_of(items, seed, modalities=("image", "text"), made=("image", "text"), labels=None):
    """Random codes of 16 bits: for each item one of each modality for each of what they are made of."""
    rng = np.random.default_rng(seed)
    sets = labels or [tuple(n for n in NAMES if rng.random() < 0.4) or ("a",) for _ in items]
    rows = [(i, m, s) for i in range(len(items)) for m in modalities for s in made if "+" in s or s == m]
    N, objects = len(rows), lambda values: np.array([*values, None], object)[:-1]
    return CodeSet(
        clip_ids=objects(f"{items[i]}/{m}/{s}" for i, m, s in rows),
        codes=rng.integers(0, 256, (N, 2), np.uint8), labels=objects(sets[i][0] for i, _, _ in rows),
        recordings=objects("" for _ in rows), splits=objects("test" for _ in rows), start_us=np.zeros(N, np.int64),
        end_us=np.zeros(N, np.int64), model="m", bits=16, version=0,
        label_sets=objects(sets[i] for i, _, _ in rows), modalities=objects(m for _, m, _ in rows),
        items=objects(items[i] for i, _, _ in rows), seen=objects(s for _, _, s in rows),
    )  # fmt: skip


def expected_ap(distances, relevant, rng, draws=4000):
    """Mean over random orders of the ties."""
    total = 0.0
    for _ in range(draws):
        order = np.lexsort((rng.random(len(distances)), distances))
        hits = np.flatnonzero(relevant[order])
        total += np.mean(np.arange(1, len(hits) + 1) / (hits + 1)) if len(hits) else 0.0
    return total / draws


def test_each_direction_against_loops():
    queries, gallery = codes_of([f"q{i}" for i in range(3)], 1), codes_of([f"g{i}" for i in range(9)], 2)
    rng = np.random.default_rng(0)
    for found in evaluate_directions(queries, gallery, directions_of(queries), k=5):
        asked = queries.where(found.direction.query, found.direction.query)
        there = gallery.where(found.direction.database, found.direction.database)
        values = []
        for code, labels in zip(asked.codes, asked.label_sets, strict=True):
            distances = np.unpackbits(code ^ there.codes, axis=1).sum(1)
            relevant = np.array([bool(set(labels) & set(other)) for other in there.label_sets])
            values.append(expected_ap(distances, relevant, rng))
        assert found.metrics["map"].value == pytest.approx(np.mean(values), abs=0.01)
        assert found.metrics["map"].worst <= found.metrics["map"].value <= found.metrics["map"].best


def test_single_and_paired_codes_are_never_compared():
    queries = codes_of(["q"], 1, made=("image", "text", "image+text"))
    gallery = codes_of(["g", "h"], 2, made=("image", "text", "image+text"))
    directions = directions_of(queries)
    assert {d.seen for d in directions} == {"single", "paired"}
    assert len(directions) == 8
    for found in evaluate_directions(queries, gallery, directions):
        assert found.metrics["map"].protocol["database"] == 2


def test_codes_that_are_not_there_are_told():
    queries, gallery = codes_of(["q"], 1), codes_of(["g"], 2)
    with pytest.raises(ConfigError, match=r"no codes of image from image\+text; there are: image from image, text"):
        evaluate_directions(queries, gallery, [Direction("image", "text", "paired")])


def test_an_item_that_asks_and_is_searched_is_refused():
    both = codes_of(["x", "y"], 1)
    with pytest.raises(ConfigError, match="queries are also in the gallery"):
        evaluate_directions(both, both, [Direction("image", "text", "single")])


def test_random_codes_are_near_the_share_of_relevant_pairs():
    rng = np.random.default_rng(3)
    labels = [(NAMES[k],) for k in rng.integers(0, 4, 400)]
    queries = codes_of([f"q{i}" for i in range(400)], 4, labels=labels)
    gallery = codes_of([f"g{i}" for i in range(400)], 5, labels=labels)
    (found,) = evaluate_directions(queries, gallery, [Direction("image", "text", "single")])
    assert found.chance["map"] == pytest.approx(0.25, abs=0.02)
    assert found.chance["map_at_50_a"] > found.chance["map_at_50_c"]


def test_graded_gain_by_hand():
    """One query with labels a, b; at ranks 1, 2, 3 items that share 1, 0, 2 labels."""
    rule = shared_label([("a", "b")], [("a", "c"), ("d",), ("a", "b")])
    task = retrieval(np.array([[0]], np.uint8), np.array([[1], [3], [7]], np.uint8), rule)
    gained = 1 / np.log2(2) + 3 / np.log2(4)
    best = 3 / np.log2(2) + 1 / np.log2(3)
    assert graded_ndcg(task, 3).value == pytest.approx(gained / best)
    assert graded_ndcg(task, 1).value == pytest.approx(1 / 3)


def test_an_item_without_labels_is_told():
    with pytest.raises(ConfigError, match="a gallery item has no label"):
        shared_label([("a",)], [("a",), ()])
