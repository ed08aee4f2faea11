"""Bits to bytes and back. The one place that knows the bit order of a stored code."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError

#: Bit 0 of a code is the most significant bit of byte 0: bits 1,0,0,0,0,0,0,1 are the byte 0x81.
BIT_ORDER: Final[Literal["big"]] = "big"


def code_bytes(bits: int) -> int:
    """Bytes of a code of `bits` bits; `ConfigError` unless `bits` is a positive multiple of 8."""
    if bits <= 0 or bits % 8:
        raise ConfigError(f"a code has {bits} bits; the number of bits must be a positive multiple of 8")
    return bits // 8


def pack(bits: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Bits [N, K] of 0 and 1 to codes uint8 [N, K/8]; `ConfigError` for any other shape, type or value."""
    if bits.ndim != 2 or bits.dtype not in (np.uint8, np.bool_):
        raise ConfigError(f"bits must be uint8 or bool [N, K], not {bits.dtype} {list(bits.shape)}")
    code_bytes(bits.shape[1])
    # packbits takes every non-zero value for a 1, which would hide codes in {0, 255} or a sign mapped to 2
    if bits.dtype == np.uint8 and bits.size and int(bits.max()) > 1:
        raise ConfigError(f"bits must be 0 or 1, found {int(bits.max())}")
    return np.packbits(bits, axis=1, bitorder=BIT_ORDER)


def unpack(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes uint8 [N, K/8] to bits uint8 [N, K] of 0 and 1; the inverse of `pack`."""
    if codes.ndim != 2 or codes.dtype != np.uint8:
        raise ConfigError(f"codes must be uint8 [N, K/8], not {codes.dtype} {list(codes.shape)}")
    return np.unpackbits(codes, axis=1, bitorder=BIT_ORDER)
