"""LIF over a whole time loop with the state of `LANES` neurons in registers: the gradient (eqs. 1-3 backwards)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from spikinghash.layers.vector_code import Code, Slope, constant
from spikinghash.layers.vector_rows import LANES


def back_constants(code: Code, tau: Any, v_th: Any) -> tuple[Any, Any, Any, Any]:
    """tau, v_th, 1 / tau and 1 - 1 / tau as vectors."""
    tau, v_th, one = code.spread(tau), code.spread(v_th), constant(1.0)
    gain = code.div(one, tau)
    return tau, v_th, gain, code.sub(one, gain)


def _forward(
    typingctx: Any, x: Any, s: Any, lo: Any, n: Any, N: Any, T: Any, affine: Any, tau: Any, v_th: Any, to: Any, M: Any
) -> Any:
    """Spikes s[T * M] from `to` on of LIF(x[T * N] * affine[0] + affine[1]) of the n neurons from `lo` on, n whole
    vectors; s may be x where to = lo and M = N.

    affine[2 or more, width] counts from `lo`, and is empty where there is no affine step.
    """
    index, number = types.intp, types.float32
    signature = types.void(x, s, index, index, index, index, affine, number, number, index, index)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        arrays = {i: context.make_array(sig.args[i])(context, builder, args[i]) for i in (0, 1, 6)}
        code, (lo, n, N, T), (to, M) = Code(builder), args[2:6], args[9:11]
        width = builder.extract_value(arrays[6].shape, 1)
        tau, v_th = code.spread(args[7]), code.spread(args[8])
        normed = builder.icmp_signed(">", width, ir.Constant(width.type, 0))

        def each(affine: Any) -> None:
            lanes = ir.Constant(n.type, LANES)
            with code.steps(builder.sdiv(n, lanes)) as group:
                place, (potential,) = builder.mul(group, lanes), code.variables(1)
                scale, shift = (
                    (code.load(affine, code.at(place, p)) for p in (group.type(0), width)) if affine else (0, 0)
                )
                with code.steps(T) as t:
                    u = code.load(arrays[0].data, code.at(lo, place, (t, N)))
                    u = code.add(code.mul(u, scale), shift) if affine else u
                    code.store(code.neuron(u, potential, tau, v_th)[1], arrays[1].data, code.at(to, place, (t, M)))

        with builder.if_else(normed) as (then, otherwise):
            with then:
                each(arrays[6].data)
            with otherwise:
                each(None)
        return context.get_dummy_value()

    return signature, codegen


# numba supplies the typing context, which a checker of calls cannot know
forward: Callable[..., None] = intrinsic(_forward)


def _make(slope_of: Slope) -> Callable[..., None]:
    @intrinsic
    def backward(
        typingctx: Any, x: Any, gs: Any, gx: Any, lo: Any, n: Any, N: Any, T: Any, affine: Any, sums: Any, h: Any,
        tau: Any, v_th: Any, alpha: Any, given: Any, M: Any, kept: Any,
    ) -> Any:  # fmt: skip
        index, number = types.intp, types.float32
        places, numbers = [index] * 4, [number] * 3
        signature = types.void(x, gs, gx, *places, affine, sums, h, *numbers, index, index, index)

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            arrays = {i: context.make_array(sig.args[i])(context, builder, args[i]) for i in (0, 1, 2, 7, 8, 9)}
            code, data = Code(builder), [arrays[i].data for i in (0, 1, 2, 7, 8, 9)]
            width = builder.extract_value(arrays[7].shape, 1)
            constants = back_constants(code, args[10], args[11])
            groups = builder.sdiv(args[4], ir.Constant(args[4].type, LANES))
            with code.steps(groups) as group:
                place = builder.mul(group, ir.Constant(group.type, LANES))
                where = args[3], place, args[5], args[6], width, *args[13:]
                _group(code, data, where, constants, args[12], slope_of)
            return context.get_dummy_value()

        return signature, codegen

    return backward


def _group(
    code: Code, data: list[Any], places: tuple[Any, ...], constants: tuple[Any, ...], alpha: Any, slope_of: Slope
) -> None:
    """`LANES` neurons: H forwards into the scratch, then the gradient backwards."""
    x, gs, gx, affine, sums, scratch = data
    lo, place, N, T, width, given, M, kept = places
    tau, v_th = constants[:2]
    scale, shift, mean = (code.load(affine, code.at(place, (width, ir.Constant(width.type, i)))) for i in range(3))
    (potential, carried, total, product), alpha = code.variables(4), code.spread(alpha)
    with code.steps(T) as t:
        u = code.add(code.mul(code.load(x, code.at(lo, place, (t, N))), scale), shift)
        code.store(code.neuron(u, potential, tau, v_th)[0], scratch, code.at(place, (t, kept)))
    with code.steps(T, backwards=True) as t:
        here, h = code.at(lo, place, (t, N)), code.load(scratch, code.at(place, (t, kept)))
        slope = slope_of(code, h, v_th, alpha)
        grad = code.neuron_back(code.load(gs, code.at(given, place, (t, M))), h, carried, slope, constants)
        code.store(grad, gx, here)
        for variable, term in ((total, grad), (product, code.mul(grad, code.sub(code.load(x, here), mean)))):
            code.builder.store(code.add(code.builder.load(variable), term), variable)
    for i, variable in enumerate((total, product)):
        to = code.at(place, (width, ir.Constant(width.type, i)))
        code.store(code.add(code.load(sums, to), code.builder.load(variable)), sums, to)


#: Gradient gx[T * N] of the charged input of n neurons from `lo` on, n whole vectors: x[T * N] * affine[0] + affine[1]
#: with the gradient gs[T * M], from `given` on, of the spikes; adds to sums[0] and sums[1] the sums over time of gx and
#: of gx * (x - affine[2]). affine[3, width] and sums[2, width] count from `lo`. The potentials H go to h[T * kept].
backward_sigmoid, backward_atan = _make(Code.sigmoid_slope), _make(Code.atan_slope)
