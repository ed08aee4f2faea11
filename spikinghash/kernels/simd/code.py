"""Vector instructions for intrinsics: kernels whose values stay in registers over a whole time loop.

The compiler vectorises inner loops only, and there everything that one time step leaves to the next goes through
memory. Here a loop body is written for `LANES` neurons at once. Each operation is rounded on its own, as in the plain
kernels, so both give the same bits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from spikinghash.kernels.simd.llvm_values import broadcast

#: Numbers in one vector.
LANES = 16
VECTOR = ir.VectorType(ir.FloatType(), LANES)
INTEGERS = ir.VectorType(ir.IntType(32), LANES)


def constant(value: float) -> Any:
    """A vector of one number, rounded to float32."""
    return ir.Constant(VECTOR, [float(np.float32(value))] * LANES)


class Code:
    """Instructions at the place of `builder`; vectors [LANES] of float32, places counted in floats."""

    def __init__(self, builder: Any) -> None:
        self.builder, self.vector, self.align = builder, VECTOR, 4
        self.add, self.sub, self.mul, self.div = builder.fadd, builder.fsub, builder.fmul, builder.fdiv

    def _pointer(self, base: Any, place: Any) -> Any:
        return self.builder.bitcast(self.builder.gep(base, [place]), self.vector.as_pointer())

    def load(self, base: Any, place: Any) -> Any:
        """The vector at base[place]."""
        return self.builder.load(self._pointer(base, place), align=self.align)

    def store(self, value: Any, base: Any, place: Any) -> None:
        """`value` to base[place]."""
        self.builder.store(value, self._pointer(base, place), align=self.align)

    def spread(self, number: Any) -> Any:
        """A vector of copies of a number."""
        return broadcast(self.builder, number, LANES)

    def at(self, *terms: Any) -> Any:
        """The sum of places; a pair is multiplied."""
        values = (self.builder.mul(*term) if isinstance(term, tuple) else term for term in terms)
        return functools.reduce(self.builder.add, values)

    def variables(self, count: int) -> list[Any]:
        """Vectors that live through a loop, zero now."""
        return [cgutils.alloca_once_value(self.builder, ir.Constant(self.vector, None)) for _ in range(count)]

    @contextmanager
    def steps(self, count: Any, *, backwards: bool = False) -> Iterator[Any]:
        """A loop over `count` steps, the last one first where `backwards`; gives the number of the step."""
        with cgutils.for_range(self.builder, count) as loop:
            last = self.builder.sub(count, ir.Constant(count.type, 1))
            yield self.builder.sub(last, loop.index) if backwards else loop.index

    @contextmanager
    def vectors(self, n: Any) -> Iterator[Any]:
        """A loop over the places of n numbers, a vector at a time; n whole vectors."""
        with cgutils.for_range_slice(self.builder, n.type(0), n, n.type(LANES), n.type) as (place, _):
            yield place

    def butterfly(self, a: Any, b: Any) -> tuple[Any, Any]:
        """(a + b) / sqrt 2, (a - b) / sqrt 2; its own inverse."""
        r = constant(1.0 / np.sqrt(2.0))
        return self.mul(self.add(a, b), r), self.mul(self.sub(a, b), r)

    def reached(self, h: Any, v_th: Any) -> Any:
        """Where h - v_th >= 0."""
        return self.builder.fcmp_ordered(">=", self.sub(h, v_th), ir.Constant(VECTOR, None))

    def charge(self, v: Any, u: Any, tau: Any) -> Any:
        """H of eq. 1 from the potential v and the input u.

        (u - v) / tau is rounded as a division is, by one step of Newton with the rest of the first guess (Markstein,
        1990), which takes a third of the time: 1 / tau leaves the loop.
        """
        x, inverse = self.sub(u, v), self.div(constant(1.0), tau)
        guess = self.mul(x, inverse)
        rest = self._call("fma", self.builder.fneg(guess), tau, x)
        return self.add(v, self._call("fma", rest, inverse, guess))

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """a * b + c, rounded once."""
        return self._call("fma", a, b, c)

    def choose(self, mask: Any, a: Any, b: Any) -> Any:
        """a where the mask is set, else b."""
        return self.builder.select(mask, a, b)

    def neuron(self, u: Any, potential: Any, tau: Any, v_th: Any) -> tuple[Any, Any]:
        """One step of eqs. 1-3 on the variable `potential`: H and the spikes."""
        h = self.charge(self.builder.load(potential), u, tau)
        fired, zero = self.reached(h, v_th), ir.Constant(VECTOR, None)
        self.builder.store(self.choose(fired, zero, h), potential)
        return h, self.choose(fired, constant(1.0), zero)

    def neuron_back(self, g: Any, h: Any, carried: Any, slope: Any, constants: tuple[Any, Any, Any, Any]) -> Any:
        """One step back: the gradient of the input u from that of the spikes; `carried` is that of the potential
        after, then before. The reset is detached. `constants` are tau, v_th, 1 / tau and 1 - 1 / tau.
        """
        _, v_th, gain, keep = constants
        zero = ir.Constant(VECTOR, None)
        later = self.choose(self.reached(h, v_th), zero, self.builder.load(carried))
        grad = self.fma(g, slope, later)
        self.builder.store(self.mul(grad, keep), carried)
        return self.mul(grad, gain)

    def _call(self, name: str, *vectors: Any) -> Any:
        kind = ir.FunctionType(VECTOR, [VECTOR] * len(vectors))
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}.v{LANES}f32")
        return self.builder.call(function, vectors)

    def exp(self, x: Any) -> Any:
        """exp by the Cephes polynomial, relative error below 1e-7; x is clamped to +-80."""
        b = self.builder
        for bound, order in ((80.0, "<"), (-80.0, ">")):
            x = self.choose(b.fcmp_ordered(order, x, constant(bound)), x, constant(bound))
        k = self._call("floor", self.add(self.mul(x, constant(1.44269504)), constant(0.5)))
        r = self.sub(x, self.mul(k, constant(0.693359375)))
        r = self.add(r, self.mul(k, constant(2.12194440e-4)))
        p = constant(1.9875691500e-4)
        for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
            p = self.add(self.mul(p, r), constant(c))
        y = self.add(self.add(self.mul(self.mul(p, r), r), r), constant(1.0))
        power = b.add(b.fptosi(k, INTEGERS), ir.Constant(INTEGERS, [127] * LANES))
        return self.mul(y, b.bitcast(b.shl(power, ir.Constant(INTEGERS, [23] * LANES)), VECTOR))

    def sigmoid_slope(self, h: Any, v_th: Any, alpha: Any) -> Any:
        """Derivative of the sigmoid surrogate at H."""
        one = constant(1.0)
        s = self.div(one, self.add(one, self.exp(self.mul(self.sub(constant(0.0), alpha), self.sub(h, v_th)))))
        return self.mul(self.mul(self.sub(one, s), s), alpha)

    def atan_slope(self, h: Any, v_th: Any, alpha: Any) -> Any:
        """Derivative of the arc tangent surrogate at H."""
        w = self.mul(self.mul(constant(np.pi / 2), alpha), self.sub(h, v_th))
        return self.div(self.div(alpha, constant(2.0)), self.fma(w, w, constant(1.0)))


#: A surrogate's slope from H, threshold and alpha.
Slope = Callable[[Code, Any, Any, Any], Any]


class Integers(Code):
    """As `Code`, with vectors [LANES] of integers of so many bits; sums are exact modulo 2 to their number."""

    def __init__(self, builder: Any, bits: int) -> None:
        super().__init__(builder)
        self.vector, self.align = ir.VectorType(ir.IntType(bits), LANES), bits // 8
        self.add, self.sub, self.mul = builder.add, builder.sub, builder.mul

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """a . b + c, a and b pairs of int16 in 32 bits; the compiler knows `vpdpwssd` and `vpmaddwd` by it."""
        builder, halves = self.builder, ir.VectorType(ir.IntType(16), 2 * LANES)
        wide = ir.VectorType(ir.IntType(32), 2 * LANES)
        x, y = (builder.sext(builder.bitcast(pairs, halves), wide) for pairs in (a, b))
        products, unset = builder.mul(x, y), ir.Constant(wide, ir.Undefined)
        of_pair = (ir.Constant(INTEGERS, list(range(first, 2 * LANES, 2))) for first in (0, 1))
        first, second = (builder.shuffle_vector(products, unset, which) for which in of_pair)
        return builder.add(c, builder.add(first, second))


def code_of(builder: Any, array: Any) -> Code:
    """Instructions for vectors of what the numba array type holds."""
    bits = array.dtype.bitwidth
    return Integers(builder, bits) if isinstance(array.dtype, types.Integer) else Code(builder)
