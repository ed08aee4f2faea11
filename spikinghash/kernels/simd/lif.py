"""LIF over a whole time loop with the state of `LANES` neurons in registers: the gradient (eqs. 1-3 backwards)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from numba.core import cgutils

from spikinghash.kernels.simd.code import LANES, Code, Slope, constant
from spikinghash.kernels.simd.vector_intrinsic import vector_intrinsic

#: Vectors that go through the steps side by side.
_TOGETHER = 4


def back_constants(code: Code, tau: Any, v_th: Any) -> tuple[Any, Any, Any, Any]:
    """tau, v_th, 1 / tau and 1 - 1 / tau as vectors."""
    tau, v_th, one = code.spread(tau), code.spread(v_th), constant(1.0)
    gain = code.div(one, tau)
    return tau, v_th, gain, code.sub(one, gain)


def _side_by_side(code: Code, n: Any) -> Iterator[list[Any]]:
    """Loops over the places of n neurons, whole vectors: several at a time, then what is left one by one. What the
    next step of a neuron waits for takes longer than the work of one vector.
    """
    builder, lanes = code.builder, n.type(LANES)
    groups, many = builder.sdiv(n, lanes), n.type(_TOGETHER)
    whole = builder.mul(builder.sdiv(groups, many), many)
    with cgutils.for_range_slice(builder, n.type(0), whole, many, n.type) as (group, _):
        yield [builder.mul(builder.add(group, n.type(i)), lanes) for i in range(_TOGETHER)]
    with cgutils.for_range_slice(builder, whole, groups, n.type(1), n.type) as (group, _):
        yield [builder.mul(group, lanes)]


@vector_intrinsic
def forward(
    code: Code, x: Any, s: Any, lo: Any, n: Any, N: Any, T: Any, affine: Any, width: Any, tau: Any, v_th: Any, to: Any,
    M: Any,
) -> None:  # fmt: skip
    """Spikes s[T * M] from `to` on of LIF(x[T * N] * affine[0] + affine[1]) of the n neurons from `lo` on, n whole
    vectors; s may be x where to = lo and M = N.

    affine[2 or more, width] counts from `lo`; a width of 0 is no affine step.
    """
    tau, v_th = code.spread(tau), code.spread(v_th)

    def each(*, scaled: bool) -> None:
        for place in _side_by_side(code, n):
            potentials = code.variables(len(place))
            rows = (width.type(0), width) if scaled else ()
            scales = [[code.load(affine, code.at(own, row)) for row in rows] for own in place]
            with code.steps(T) as t:
                for own, potential, how in zip(place, potentials, scales, strict=True):
                    u = code.load(x, code.at(lo, own, (t, N)))
                    u = code.add(code.mul(u, how[0]), how[1]) if scaled else u
                    code.store(code.neuron(u, potential, tau, v_th)[1], s, code.at(to, own, (t, M)))

    with code.builder.if_else(code.builder.icmp_signed(">", width, width.type(0))) as (then, otherwise):
        with then:
            each(scaled=True)
        with otherwise:
            each(scaled=False)


def _make(slope_of: Slope) -> Callable[..., None]:
    def backward(
        code: Code, x: Any, gs: Any, gx: Any, lo: Any, n: Any, N: Any, T: Any, affine: Any, width: Any, sums: Any,
        h: Any, tau: Any, v_th: Any, alpha: Any, given: Any, M: Any, kept: Any,
    ) -> None:  # fmt: skip
        constants = back_constants(code, tau, v_th)
        for place in _side_by_side(code, n):
            where = lo, N, T, width, given, M, kept
            _groups(code, [x, gs, gx, affine, sums, h], place, where, constants, alpha, slope_of)

    return vector_intrinsic(backward)


def _groups(
    code: Code, data: list[Any], groups: list[Any], places: tuple[Any, ...], constants: tuple[Any, ...], alpha: Any,
    slope_of: Slope,
) -> None:  # fmt: skip
    """`LANES` neurons from each place of `groups` on: H forwards into the scratch, then the gradient backwards."""
    x, gs, gx, affine, sums, scratch = data
    lo, N, T, width, given, M, kept = places
    tau, v_th = constants[:2]
    norms = [[code.load(affine, code.at(own, (width, width.type(i)))) for i in range(3)] for own in groups]
    states, alpha = [code.variables(4) for _ in groups], code.spread(alpha)
    with code.steps(T) as t:
        for own, (scale, shift, _), state in zip(groups, norms, states, strict=True):
            u = code.add(code.mul(code.load(x, code.at(lo, own, (t, N))), scale), shift)
            code.store(code.neuron(u, state[0], tau, v_th)[0], scratch, code.at(own, (t, kept)))
    with code.steps(T, backwards=True) as t:
        for own, (_, _, mean), (_, carried, total, product) in zip(groups, norms, states, strict=True):
            here, h = code.at(lo, own, (t, N)), code.load(scratch, code.at(own, (t, kept)))
            away, slope = code.sub(code.load(x, here), mean), slope_of(code, h, v_th, alpha)
            grad = code.neuron_back(code.load(gs, code.at(given, own, (t, M))), h, carried, slope, constants)
            code.store(grad, gx, here)
            code.builder.store(code.add(code.builder.load(total), grad), total)
            code.builder.store(code.fma(grad, away, code.builder.load(product)), product)
    for own, (_, _, total, product) in zip(groups, states, strict=True):
        for i, variable in enumerate((total, product)):
            to = code.at(own, (width, width.type(i)))
            code.store(code.add(code.load(sums, to), code.builder.load(variable)), sums, to)


#: Gradient gx[T * N] of the charged input of n neurons from `lo` on, n whole vectors: x[T * N] * affine[0] + affine[1]
#: with the gradient gs[T * M], from `given` on, of the spikes; adds to sums[0] and sums[1] the sums over time of gx and
#: of gx * (x - affine[2]). affine[3, width] and sums[2, width] count from `lo`. The potentials H go to h[T * kept].
backward_sigmoid, backward_atan = _make(Code.sigmoid_slope), _make(Code.atan_slope)
