"""The checksum of weights against whole numbers of Python."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash.kernels.checksum import checksum


def slow(data):
    words = [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]
    whole = len(data) // 8
    sums = sum(words), sum(word * (2 * i + 1) for i, word in enumerate(words[:whole]))
    return tuple(value % 2**64 for value in sums)


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_against_python(data):
    found = checksum(np.frombuffer(data, np.uint8).copy())
    assert tuple(int(value) % 2**64 for value in found) == slow(data)


def test_words_that_change_places_show():
    words = np.random.default_rng(0).integers(0, 2**63, 40)
    before = checksum(words.view(np.uint8))
    for i, j in itertools.combinations(range(len(words)), 2):
        moved = words.copy()
        moved[[i, j]] = moved[[j, i]]
        after = checksum(moved.view(np.uint8))
        assert after[0] == before[0]
        assert after[1] != before[1]
