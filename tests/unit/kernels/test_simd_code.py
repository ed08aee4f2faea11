"""Vector instructions against numpy, bit for bit."""

import numpy as np
import pytest
from numba import njit, types
from numba.extending import intrinsic

from spikinghash.kernels.simd.code import LANES, Code


@intrinsic
def _charge(typingctx, v, u, tau, out):
    signature = types.void(v, u, types.float32, out)

    def codegen(context, builder, sig, args):
        data = {i: context.make_array(sig.args[i])(context, builder, args[i]).data for i in (0, 1, 3)}
        code, zero = Code(builder), types.intp
        first = context.get_constant(zero, 0)
        h = code.charge(code.load(data[0], first), code.load(data[1], first), code.spread(args[2]))
        code.store(h, data[3], first)
        return context.get_dummy_value()

    return signature, codegen


@njit
def charge(v, u, tau, out):
    for i in range(0, v.size, LANES):
        _charge(v[i : i + LANES], u[i : i + LANES], tau, out[i : i + LANES])


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
