"""The checksum of weights against whole numbers of Python."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinghash.kernels.checksum import checksum

WIDE = 2**64


def finaliser(word):
    """The last step of MurmurHash3 for 64 bits, `fmix64` of its published source."""
    word ^= word >> 33
    word = word * 0xFF51AFD7ED558CCD % WIDE
    word ^= word >> 33
    word = word * 0xC4CEB9FE1A85EC53 % WIDE
    return word ^ word >> 33


def slow(data):
    whole = len(data) // 8
    words = [int.from_bytes(data[8 * i : 8 * i + 8], "little") for i in range(whole)]
    placed = [*enumerate(words), *enumerate(data[8 * whole :], 9 * whole)]
    mixed = (finaliser((value + place * 0x9E3779B97F4A7C15) % WIDE) for place, value in placed)
    return (len(data) + sum(mixed)) % WIDE


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_against_python(data):
    assert int(checksum(np.frombuffer(data, np.uint8).copy())) % WIDE == slow(data)


def test_words_that_change_places_show():
    words = np.random.default_rng(0).integers(0, 2**63, 40)
    before = checksum(words.view(np.uint8))
    for i, j in itertools.combinations(range(len(words)), 2):
        moved = words.copy()
        moved[[i, j]] = moved[[j, i]]
        assert checksum(moved.view(np.uint8)) != before


def test_signs_that_change_together_show():
    """Top bits of words: sums of odd multiples of the words would lose every even number of them."""
    values = np.random.default_rng(0).standard_normal(60).astype(np.float32)
    before = checksum(values.view(np.uint8))
    for number in (1, 2, 4):
        for chosen in itertools.combinations(range(1, 24, 2), number):
            changed = values.copy()
            changed[list(chosen)] *= -1
            assert checksum(changed.view(np.uint8)) != before
