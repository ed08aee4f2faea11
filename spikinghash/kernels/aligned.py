"""Scratch memory for kernels that begins at a cache line: vectors across two lines take twice as long."""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.jit import kernel

_LINE_BYTES = 64


@kernel
def aligned(size):  # type: ignore[no-untyped-def]
    """Float32 [size] without values."""
    whole = np.empty(size + _LINE_BYTES // 4, np.float32)
    start = -(whole.ctypes.data // 4) % (_LINE_BYTES // 4)
    return whole[start : start + size]
