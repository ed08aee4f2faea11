"""Bits and bytes: the bit order is fixed by one literal example."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinghash.codes.packing import BIT_ORDER, code_bytes, pack, unpack
from spikinghash.errors import ConfigError


def test_bit_0_is_the_most_significant_bit_of_byte_0():
    bits = np.array([[1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0]], dtype=np.uint8)
    assert pack(bits).tolist() == [[0x81, 0x60]]
    assert unpack(np.array([[0x81, 0x60]], dtype=np.uint8)).tolist() == bits.tolist()
    assert BIT_ORDER == "big"


@given(st.integers(1, 32), st.integers(0, 20), st.integers(0, 2**32 - 1), st.booleans())
def test_unpack_inverts_pack_at_every_width(width, rows, seed, as_bool):
    bits = np.random.default_rng(seed).integers(0, 2, (rows, 8 * width), dtype=np.uint8)
    given_bits = bits.astype(bool) if as_bool else bits
    before = given_bits.copy()
    codes = pack(given_bits)
    assert codes.shape == (rows, width)
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(unpack(codes), bits)
    np.testing.assert_array_equal(pack(unpack(codes)), codes)
    np.testing.assert_array_equal(given_bits, before)


@pytest.mark.parametrize("bits", [0, -8, 7, 12, 63])
def test_widths_that_are_not_whole_bytes_are_refused(bits):
    with pytest.raises(ConfigError, match="multiple of 8"):
        code_bytes(bits)


@pytest.mark.parametrize(
    "bits",
    [
        np.zeros((2, 12), np.uint8),
        np.zeros(16, np.uint8),
        np.zeros((2, 16), np.float32),
        np.full((2, 16), 255, np.uint8),
    ],
)
def test_what_is_not_bits_is_refused(bits):
    with pytest.raises(ConfigError):
        pack(bits)


def test_what_is_not_codes_is_refused():
    with pytest.raises(ConfigError):
        unpack(np.zeros((2, 2), np.int64))
