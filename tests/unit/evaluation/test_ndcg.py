"""ACG and NDCG of eqs. 27-29 against loops, and the rule for similar classes."""

import math

import numpy as np
import pytest
from small_store import event_spec

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import ConfigError
from spikinghash.evaluation.class_similarity import class_similarity
from spikinghash.evaluation.ndcg import cumulative_gain
from spikinghash.evaluation.similar_classes import similar_classes
from spikinghash.frames.frame_meta import FrameMeta

SIMILAR = {frozenset(("a", "b"))}


def codes(labels, values, prefix):
    N = len(labels)
    return CodeSet(
        clip_ids=np.array([f"{prefix}{i:03d}" for i in range(N)], dtype=object),
        codes=np.array(values, dtype=np.uint8).reshape(N, -1),
        labels=np.array(labels, dtype=object),
        recordings=np.full(N, "r", dtype=object),
        splits=np.full(N, "s", dtype=object),
        start_us=np.zeros(N, np.int64),
        end_us=np.zeros(N, np.int64),
        model="m",
        bits=np.array(values, dtype=np.uint8).reshape(N, -1).shape[1] * 8,
        version=0,
    )


def gain(x, y):
    return 1.0 if x == y else 0.5 if {x, y} == {"a", "b"} else 0.0


def literal(queries, gallery, n):
    """Eqs. 27-29, one query and one place at a time."""
    acg, ndcg = [], []
    for q in range(len(queries)):
        distance = [bin(int(queries.codes[q, 0]) ^ int(c[0])).count("1") for c in gallery.codes]
        order = sorted(range(len(gallery)), key=lambda i: (distance[i], gallery.clip_ids[i]))
        r = [gain(queries.labels[q], gallery.labels[i]) for i in order]
        ideal = sorted(r, reverse=True)

        def dcg(g):
            return g[0] + sum(g[i - 1] / math.log2(i) for i in range(2, min(n, len(g)) + 1))

        acg.append(sum(r[:n]) / min(n, len(r)))
        ndcg.append(dcg(r) / dcg(ideal) if dcg(ideal) else 0.0)
    return np.mean(acg), np.mean(ndcg)


@pytest.mark.parametrize("n", [1, 2, 5, 40, 100])
def test_against_the_equations(n):
    rng = np.random.default_rng(n)
    queries = codes(rng.choice(list("abc"), 7).tolist(), rng.integers(0, 16, 7), "q")
    gallery = codes(rng.choice(list("abcd"), 40).tolist(), rng.integers(0, 16, 40), "g")
    found = cumulative_gain(queries, gallery, n, SIMILAR)
    assert (found.acg.value, found.ndcg.value) == pytest.approx(literal(queries, gallery, n))
    assert found.ndcg.protocol["gains"] == [1.0, 0.5, 0.0]


def test_a_perfect_ranking_scores_one_and_nothing_relevant_zero():
    gallery = codes(["a", "b", "c"], [0, 1, 7], "g")
    assert cumulative_gain(codes(["a"], [0], "q"), gallery, 3, SIMILAR).ndcg.value == pytest.approx(1.0)
    none = cumulative_gain(codes(["x"], [0], "q"), gallery, 3, SIMILAR)
    assert (none.acg.value, none.ndcg.value) == (0.0, 0.0)
    with pytest.raises(ConfigError, match="at least 1"):
        cumulative_gain(gallery, codes(["a"], [0], "h"), 0)


class Images:
    """A frame source of one image a class: a and b look alike, c like nothing."""

    spec = event_spec(FrameMeta(steps=1, height=2, width=2, dtype="uint8"))

    def iter_inputs(self, name, split, batch):
        picture = np.zeros((4, 1, 2, 2, 2), np.uint8)
        picture[0, 0, 0, 0], picture[1, 0, 0, 0] = [9, 0], [9, 1]
        picture[2, 0, 1, 1], picture[3, 0, 1, 0] = [5, 0], [0, 7]
        yield picture, [type("Row", (), {"label": x})() for x in "abcd"]


def test_similar_classes_are_mutual_nearest():
    assert similar_classes(Images(), ["train"]) >= SIMILAR
    assert all(len(pair) == 2 for pair in similar_classes(Images(), ["train"]))


def test_similarity_of_codes_against_pairs_of_clips():
    rng = np.random.default_rng(0)
    some = codes(list("abab"), rng.integers(0, 256, (4, 2)), "g")
    found = class_similarity(some, {"labels": ["b", "a"], "matrix": [[1.0, 0.3], [0.2, 0.9]]})
    signs = np.unpackbits(some.codes, axis=1).astype(float) * 2 - 1
    expected = np.mean([signs[i] @ signs[j] / 16 for i in (0, 2) for j in (1, 3)])
    assert found["labels"] == ["a", "b"]
    assert found["hash"][0][1] == pytest.approx(expected, abs=1e-6)
    assert found["soft"] == [[0.9, 0.2], [0.3, 1.0]]
