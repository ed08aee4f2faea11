"""Exact k nearest codes against a stable sort and against FAISS."""

import importlib
from contextlib import contextmanager

import faiss
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_cases import all_distances, random_codes, ranked

from spikinghash.errors import ConfigError, StaleModel
from spikinghash.index.nearest_codes import nearest_codes

SEARCH = importlib.import_module("spikinghash.index.nearest_codes")


@contextmanager
def few(pairs):
    """So many pairs are few: none, and kernels do all; or any number, and NumPy does."""
    before, SEARCH.FEW = SEARCH.FEW, pairs
    try:
        yield
    finally:
        SEARCH.FEW = before


def check(queries, codes, k, allowed=None):
    for pairs in (-1, 1 << 40):
        with few(pairs):
            check_one(queries, codes, k, allowed)


def check_one(queries, codes, k, allowed):
    rows, distances = nearest_codes(queries, codes, k, allowed)
    assert (distances.dtype, rows.dtype) == (np.int32, np.int64)
    places = min(k, len(codes) if allowed is None else int(allowed.sum()))
    assert distances.shape == rows.shape == (len(queries), places)
    for query, (order, wanted) in enumerate(ranked(queries, codes, allowed)):
        np.testing.assert_array_equal(rows[query], order[:places])
        np.testing.assert_array_equal(distances[query], wanted[:places])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(1, 33),
    rows=st.integers(1, 700),
    queries=st.integers(0, 70),
    k=st.integers(1, 800),
    spread=st.sampled_from([None, 0, 1, 3, 7]),
    share=st.sampled_from([None, 0.0, 0.02, 0.5, 1.0]),
)
def test_is_a_stable_sort(seed, width, rows, queries, k, spread, share):
    rng = np.random.default_rng(seed)
    codes, asked = random_codes(rng, rows, width, spread), random_codes(rng, queries, width, spread)
    check(asked, codes, k, None if share is None else rng.random(rows) < share)


@pytest.mark.parametrize("bits", [16, 24, 32, 48, 64, 72, 96, 128, 192, 256])
@pytest.mark.parametrize("spread", [None, 5])
def test_distances_are_those_of_faiss(bits, spread):
    rng = np.random.default_rng(bits)
    codes, queries = random_codes(rng, 9000, bits // 8, spread), random_codes(rng, 40, bits // 8, spread)
    theirs = faiss.IndexBinaryFlat(bits)
    theirs.add(codes)
    for k in (1, 10, 500):
        np.testing.assert_array_equal(nearest_codes(queries, codes, k).distances, theirs.search(queries, k)[0])


def test_long_codes():
    rng = np.random.default_rng(0)
    check(random_codes(rng, 3, 200), random_codes(rng, 300, 200), 20)


@pytest.mark.parametrize("k", [1, 7, 64, 3000])
def test_farthest_first_and_nearest_first(k):
    """Rows in falling distance all pass the cut when they come, rows in rising distance none after the first k."""
    rng = np.random.default_rng(1)
    codes, query = random_codes(rng, 6000, 8), random_codes(rng, 1, 8)
    order = np.argsort(all_distances(query, codes)[0], kind="stable")
    check(query, codes[order], k)
    check(query, codes[order[::-1]], k)


def test_duplicates_and_one_row():
    same = np.full((5000, 8), 0x5A, np.uint8)
    check(same[:2], same, 100)
    check(~same[:2], same, 100)
    check(same[:3], same[:1], 4)


def test_nothing_to_find_and_nothing_asked():
    codes = random_codes(np.random.default_rng(2), 100, 8)
    assert nearest_codes(codes, codes, 5, np.zeros(100, bool)).rows.shape == (100, 0)
    assert nearest_codes(codes[:0], codes, 5).distances.shape == (0, 5)
    assert nearest_codes(codes, codes[:0], 5).distances.shape == (100, 0)


def test_the_number_of_threads_changes_nothing():
    rng = np.random.default_rng(3)
    codes, queries = random_codes(rng, 20_000, 8, 20), random_codes(rng, 300, 8, 20)
    before, found = numba.get_num_threads(), []
    try:
        for threads in range(1, before + 1):
            numba.set_num_threads(threads)
            found.append(np.stack(nearest_codes(queries, codes, 50)))
    finally:
        numba.set_num_threads(before)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.sampled_from([2, 8, 11, 16]), k=st.integers(1, 60))
def test_laws(seed, width, k):
    rng = np.random.default_rng(seed)
    codes, queries = random_codes(rng, 400, width, 9), random_codes(rng, 20, width, 9)
    rows, distances = nearest_codes(queries, codes, k)
    mask = rng.integers(0, 256, width, dtype=np.uint8)
    for left, right in zip(nearest_codes(queries ^ mask, codes ^ mask, k), (rows, distances), strict=True):
        np.testing.assert_array_equal(left, right)
    shuffled = rng.permutation(20)
    np.testing.assert_array_equal(nearest_codes(queries[shuffled], codes, k).rows, rows[shuffled])
    # a mask is the same as leaving rows out
    allowed = rng.random(400) < 0.5
    some, some_distances = nearest_codes(queries, codes[allowed], k)
    np.testing.assert_array_equal(nearest_codes(queries, codes, k, allowed).distances, some_distances)
    np.testing.assert_array_equal(nearest_codes(queries, codes, k, allowed).rows, np.flatnonzero(allowed)[some])


def test_any_layout_of_memory_and_no_change_to_it():
    rng = np.random.default_rng(4)
    wide = random_codes(rng, 600, 9)
    for codes in (wide[:, 1:], wide[::-1, :8], np.asfortranarray(wide[:, :8])):
        check(codes[:5], codes, 9)
    frozen = np.frombuffer(b"x" + wide.tobytes(), np.uint8, offset=1).reshape(600, 9)
    before = frozen.copy()
    check(frozen[:5], frozen, 9)
    np.testing.assert_array_equal(frozen, before)
    assert wide.flags.writeable


def test_what_is_not_a_search_is_refused():
    codes = np.zeros((4, 8), np.uint8)
    for queries, k, allowed in [
        (codes, 0, None),
        (codes[0], 1, None),
        (codes.astype(np.int64), 1, None),
        (codes[:, :0], 1, None),
        (codes, 1, np.ones(3, bool)),
        (codes, 1, np.ones(4, np.int64)),
    ]:
        with pytest.raises(ConfigError):
            nearest_codes(queries, codes, k, allowed)
    with pytest.raises(StaleModel, match="56 bits, the codes 64"):
        nearest_codes(codes[:, 1:], codes, 1)
