"""Vector instructions against numpy, bit for bit."""

import numpy as np
import pytest
from numba import njit

from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.vector_intrinsic import vector_intrinsic


@vector_intrinsic
def _charge(code, v, u, tau, out, at):
    code.store(code.charge(code.load(v, at), code.load(u, at), code.spread(tau)), out, at)


@njit
def charge(v, u, tau, out):
    for i in range(0, v.size, LANES):
        _charge(v, u, tau, out, i)


@pytest.mark.parametrize("tau", [1.1, 1.75, 2.0, 3.0, 7.3, 20.0])
def test_the_charge_is_rounded_as_a_division_is(tau):
    """Over many magnitudes; SpikingJelly divides, so one value that is rounded otherwise could move a spike."""
    rng = np.random.default_rng(0)
    shape = 1 << 20
    u, v = ((rng.normal(size=shape) * 10.0 ** rng.uniform(-12, 12, shape)).astype(np.float32) for _ in range(2))
    v[::3] = 0.0
    out, tau = np.empty_like(u), np.float32(tau)
    charge(v, u, tau, out)
    assert np.array_equal(out, v + (u - v) / tau)
