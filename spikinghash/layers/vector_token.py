"""Neurons and the token product behind them (eq. 10) with the state of `LANES` channels of a pixel in registers.

The product of spikes and one weight a pixel is the weight or nothing, so spikes are kept as one bit each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from spikinghash.layers.vector_code import VECTOR, Code, Slope
from spikinghash.layers.vector_lif import back_constants
from spikinghash.layers.vector_rows import LANES

_ZERO = ir.Constant(VECTOR, None)
_BITS = ir.IntType(16)
_MASK = ir.VectorType(ir.IntType(1), LANES)


class _Group:
    """One pixel's `LANES` channels: places of their values, of their bits and of their token weights at step t."""

    def __init__(self, code: Code, at: Any, N: Any, token: Any, step: Any) -> None:
        self.code, self.at, self.N, self.token, self.step = code, at, N, token, step

    def here(self, t: Any) -> Any:
        """The place of step t in an array of floats."""
        return self.code.at(self.at, (t, self.N))

    def bits(self, bits: Any, t: Any) -> Any:
        """A pointer to the bits of step t."""
        builder = self.code.builder
        return builder.gep(bits, [builder.sdiv(self.here(t), ir.Constant(self.N.type, LANES))])

    def weight(self, weights: Any, t: Any) -> Any:
        """The token weight of step t, in all lanes."""
        return self.code.spread(self.code.builder.load(self.code.builder.gep(weights, [self.place(t)])))

    def place(self, t: Any) -> Any:
        """The place of the token weight of step t."""
        return self.code.at(self.token, (t, self.step))

    def product(self, bits: Any, weights: Any, t: Any) -> Any:
        """Spikes times their weight, from bits."""
        fired = self.code.builder.bitcast(self.code.builder.load(self.bits(bits, t)), _MASK)
        return self.code.choose(fired, self.weight(weights, t), _ZERO)


def _arrays(context: Any, builder: Any, sig: Any, args: Any, count: int) -> list[Any]:
    return [context.make_array(sig.args[i])(context, builder, args[i]).data for i in range(count)]


def _charge_of(code: Code, group: _Group, source: Any, weights: Any, affine: tuple[Any, Any] | None, t: Any) -> Any:
    """What charges the neurons at step t: a value, or the normed product of bits and weights."""
    if affine is None:
        return code.load(source, group.here(t))
    return code.add(code.mul(group.product(source, weights, t), affine[0]), affine[1])


def _add_to(code: Code, base: Any, place: Any, value: Any) -> None:
    code.store(code.add(code.load(base, place), value), base, place)


def _make_forward(*, normed: bool) -> Callable[..., None]:
    @intrinsic
    def forward(
        typingctx: Any, source: Any, before: Any, scale: Any, shift: Any, after: Any, out: Any, sums: Any, squares: Any,
        at: Any, N: Any, T: Any, token: Any, step: Any, channel: Any, tau: Any, v_th: Any,
    ) -> Any:  # fmt: skip
        arrays = source, before, scale, shift, after, out, sums, squares
        signature = types.void(*arrays, *[types.intp] * 6, types.float32, types.float32)

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            source, before, scale, shift, after, out, sums, squares = _arrays(context, builder, sig, args, 8)
            code, (at, N, T, token, step, channel) = Code(builder), args[8:14]
            group, tau, v_th = _Group(code, at, N, token, step), code.spread(args[14]), code.spread(args[15])
            affine = (code.load(scale, channel), code.load(shift, channel)) if normed else None
            (potential,) = code.variables(1)
            with code.steps(T) as t:
                u = _charge_of(code, group, source, before, affine, t)
                h, _ = code.neuron(u, potential, tau, v_th)
                fired = code.reached(h, v_th)
                p = code.choose(fired, group.weight(after, t), _ZERO)
                if normed:
                    code.store(p, out, group.here(t))
                else:
                    builder.store(builder.bitcast(fired, _BITS), group.bits(out, t))
                _add_to(code, sums, channel, p)
                _add_to(code, squares, channel, code.mul(p, p))
            return context.get_dummy_value()

        return signature, codegen

    return forward


#: One group of neurons charged by x at source[at + t * N], and the moments of their spikes times the weight
#: after[token + t * step], added to sums[channel:] and squares[channel:]; bits of the spikes to out.
first_tokens = _make_forward(normed=False)
#: The same charged by the bits `source` times their weight before[token + t * step], times scale[channel:] plus
#: shift[channel:]; the products to out[at + t * N].
next_tokens = _make_forward(normed=True)


def _make_back(slope_of: Slope, *, normed: bool) -> Callable[..., None]:
    @intrinsic
    def back(
        typingctx: Any, source: Any, before: Any, scale: Any, shift: Any, after: Any, g: Any, gain: Any, slope: Any,
        offset: Any, out: Any, by_token: Any, sums: Any, products: Any, h: Any, at: Any, N: Any, T: Any, token: Any,
        step: Any, channel: Any, tau: Any, v_th: Any, alpha: Any,
    ) -> Any:  # fmt: skip
        arrays = source, before, scale, shift, after, g, gain, slope, offset, out, by_token, sums, products, h
        signature = types.void(*arrays, *[types.intp] * 6, *[types.float32] * 3)

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            data, (at, N, T, token, step, channel) = _arrays(context, builder, sig, args, 14), args[14:20]
            source, before, scale, shift, after, g, gain, slope, offset, out, by_token, sums, products, h = data
            code, lanes = Code(builder), ir.Constant(at.type, LANES)
            group, alpha = _Group(code, at, N, token, step), code.spread(args[22])
            constants = back_constants(code, args[20], args[21])
            tau, v_th = constants[:2]
            affine = (code.load(scale, channel), code.load(shift, channel)) if normed else None
            a, b, d = (code.load(x, channel) for x in (gain, slope, offset))
            potential, carried = code.variables(2)
            with code.steps(T) as t:
                u = _charge_of(code, group, source, before, affine, t)
                code.store(code.neuron(u, potential, tau, v_th)[0], h, code.at((t, lanes)))
            with code.steps(T, backwards=True) as t:
                charged, weight = code.load(h, code.at((t, lanes))), group.weight(after, t)
                fired = code.reached(charged, v_th)
                rest = code.add(code.mul(code.choose(fired, weight, _ZERO), b), d)
                by_product = code.add(rest, code.mul(code.load(g, group.here(t)), a))
                _add_to(code, by_token, code.at((group.place(t), lanes)), code.choose(fired, by_product, _ZERO))
                by_spike = code.mul(by_product, weight)
                steep = slope_of(code, charged, v_th, alpha)
                grad = code.neuron_back(by_spike, charged, carried, steep, constants)
                code.store(grad, out, group.here(t))
                if normed:
                    _add_to(code, sums, channel, grad)
                    _add_to(code, products, channel, code.mul(grad, group.product(source, before, t)))
            return context.get_dummy_value()

        return signature, codegen

    return back


#: The way back of `first_tokens` and `next_tokens`: g is the gradient of the norm behind the product, `gain`, `slope`
#: and `offset` [C] make it that of the product; by_token[places, LANES] += that of the weights `after`, lane by lane,
#: out that of the charge, of which `next_tokens` adds the sums, plain and times the product before. h is scratch.
first_back_sigmoid, first_back_atan = (_make_back(s, normed=False) for s in (Code.sigmoid_slope, Code.atan_slope))
next_back_sigmoid, next_back_atan = (_make_back(s, normed=True) for s in (Code.sigmoid_slope, Code.atan_slope))
