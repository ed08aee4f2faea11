"""Everything within a radius, against a stable sort and against FAISS."""

import faiss
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_cases import random_codes, ranked

from spikinghash.errors import ConfigError, StaleModel
from spikinghash.index.radius import codes_within


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(1, 33),
    rows=st.integers(0, 700),
    queries=st.integers(0, 70),
    radius=st.integers(0, 280),
    spread=st.sampled_from([None, 0, 3, 7]),
    share=st.sampled_from([None, 0.0, 0.1, 1.0]),
)
def test_is_the_head_of_a_stable_sort(seed, width, rows, queries, radius, spread, share):
    rng = np.random.default_rng(seed)
    codes, asked = random_codes(rng, rows, width, spread), random_codes(rng, queries, width, spread)
    allowed = None if share is None else rng.random(rows) < share
    found = codes_within(asked, codes, radius, allowed)
    assert (found.offsets.dtype, found.rows.dtype, found.distances.dtype) == (np.int64, np.int64, np.int32)
    assert len(found.offsets) == queries + 1
    assert found.offsets[-1] == len(found.rows) == len(found.distances)
    for query, (order, distances) in enumerate(ranked(asked, codes, allowed)):
        near = distances <= radius
        np.testing.assert_array_equal(found.of(query), (order[near], distances[near]))


@pytest.mark.parametrize("bits", [16, 64, 96, 128, 256])
def test_finds_what_faiss_finds(bits):
    rng = np.random.default_rng(bits)
    codes, queries = random_codes(rng, 5000, bits // 8), random_codes(rng, 40, bits // 8)
    theirs, radius = faiss.IndexBinaryFlat(bits), bits // 3
    theirs.add(codes)
    offsets, _, rows = theirs.range_search(queries, radius + 1)  # FAISS leaves the radius itself out
    found = codes_within(queries, codes, radius)
    np.testing.assert_array_equal(found.offsets, offsets.astype(np.int64))
    for query in range(40):
        assert sorted(found.of(query)[0]) == sorted(rows[offsets[query] : offsets[query + 1]])


def test_the_number_of_threads_changes_nothing():
    rng = np.random.default_rng(3)
    codes, queries = random_codes(rng, 20_000, 8, 20), random_codes(rng, 300, 8, 20)
    before, found = numba.get_num_threads(), []
    try:
        for threads in range(1, before + 1):
            numba.set_num_threads(threads)
            found.append(codes_within(queries, codes, 4))
    finally:
        numba.set_num_threads(before)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0].rows, other.rows)
        np.testing.assert_array_equal(found[0].offsets, other.offsets)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.sampled_from([2, 8, 11]), radius=st.integers(0, 9))
def test_laws(seed, width, radius):
    rng = np.random.default_rng(seed)
    codes, queries = random_codes(rng, 400, width, 12), random_codes(rng, 20, width, 12)
    found = codes_within(queries, codes, radius)
    mask = rng.integers(0, 256, width, dtype=np.uint8)
    masked = codes_within(queries ^ mask, codes ^ mask, radius)
    np.testing.assert_array_equal(masked.rows, found.rows)
    shuffled = rng.permutation(20)
    moved = codes_within(queries[shuffled], codes, radius)
    for place, query in enumerate(shuffled):
        np.testing.assert_array_equal(moved.of(place), found.of(query))
    wider = codes_within(queries, codes, radius + 1)
    for query in range(20):
        assert set(found.of(query)[0]) <= set(wider.of(query)[0])


def test_what_is_not_a_search_is_refused():
    codes = np.zeros((4, 8), np.uint8)
    with pytest.raises(ConfigError, match="cannot be negative"):
        codes_within(codes, codes, -1)
    with pytest.raises(ConfigError, match="row mask"):
        codes_within(codes, codes, 1, np.ones(3, bool))
    with pytest.raises(StaleModel):
        codes_within(codes[:, 1:], codes, 1)
