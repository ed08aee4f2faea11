"""One level of the Haar transform of a row pair, `LANES` channels of a 2 x 2 x 2 cube in registers at a time.

A cube is a dictionary of eight vectors; its keys are the two places along (T, H, W), of samples before a transform and
of low and high after it. The transform is its own inverse, so splitting, joining and their gradients are the same walk
over the axes, from samples to bands or from bands to samples.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from llvmlite import ir

from spikinghash.kernels.simd.code import LANES, Code, Slope
from spikinghash.kernels.simd.lif import back_constants
from spikinghash.kernels.simd.vector_intrinsic import vector_intrinsic

Key = tuple[int, ...]
Cube = dict[Key, Any]
_KEYS = list(itertools.product((0, 1), repeat=3))
#: What `places` holds, all counted in floats: where samples, low and high bands of the row pair begin, the distances
#: of steps and rows of samples, of steps of the low band, and of bands; channels, column pairs, steps of the bands.
PLACES = ("sample", "low", "high", "step", "row", "low_step", "band", "channels", "columns", "steps")
TO_BANDS, TO_SAMPLES = (0, 1, 2), (2, 1, 0)


def along(code: Code, cube: Cube, axis: int) -> Cube:
    """The transform along one axis."""
    out: Cube = {}
    for key in _KEYS:
        if key[axis] == 0:
            other = (*key[:axis], 1, *key[axis + 1 :])
            out[key], out[other] = code.butterfly(cube[key], cube[other])
    return out


class _Unit:
    """The arrays of one row pair, at one column pair and `LANES` channels."""

    def __init__(self, code: Code, data: list[Any], places: Any, column: Any, lane: Any) -> None:
        builder = code.builder
        index = column.type
        self.code, (self.samples, self.low, self.high) = code, data
        read = (builder.load(builder.gep(places, [index(i)])) for i in range(len(PLACES)))
        self.place = dict(zip(PLACES, read, strict=True))
        self.column, self.lane, self.index = column, lane, index

    def _sample(self, t: Any, key: Key) -> Any:
        code, p = self.code, self.place
        step = code.at((t, self.index(2)), self.index(key[0]))
        column = code.at((self.column, self.index(2)), self.index(key[2]))
        row = (p["row"], self.index(key[1]))
        return code.at(p["sample"], (step, p["step"]), row, (column, p["channels"]), self.lane)

    def _band(self, t: Any, key: Key) -> tuple[Any, Any]:
        code, p, band = self.code, self.place, 4 * key[0] + 2 * key[1] + key[2]
        cell = code.at((self.column, p["channels"]), self.lane)
        if band == 0:
            return self.low, code.at(p["low"], (t, p["low_step"]), cell)
        number = code.at((t, self.index(7)), self.index(band - 1))
        return self.high, code.at(p["high"], (number, p["band"]), cell)

    def _at(self, t: Any, key: Key, bands: bool) -> tuple[Any, Any]:
        return self._band(t, key) if bands else (self.samples, self._sample(t, key))

    def load(self, t: Any, *, bands: bool) -> Cube:
        """The cube of step t of the bands, as samples or as bands."""
        return {key: self.code.load(*self._at(t, key, bands)) for key in _KEYS}

    def store(self, cube: Cube, t: Any, *, bands: bool) -> None:
        """The cube to its place."""
        for key in _KEYS:
            self.code.store(cube[key], *self._at(t, key, bands))


def _walk(
    code: Code, cube: Cube, order: tuple[int, ...], fire: Callable[[int, Any, Any], Any], *, last: bool = True
) -> Cube:
    """Axis, neurons, axis, neurons, and the `last` axis; `fire` takes the number of a neuron, its place and input."""
    for layer, axis in enumerate(order[:2]):
        cube = along(code, cube, axis)
        cube = {key: fire(layer, key, value) for key, value in cube.items()}
    return along(code, cube, order[2]) if last else cube


def _number_of(layer: int, key: Key) -> int:
    return 8 * layer + 4 * key[0] + 2 * key[1] + key[2]


def _forward(code: Code, unit: _Unit, order: tuple[int, ...], tau: Any, v_th: Any) -> None:
    potentials = code.variables(16)
    with code.steps(unit.place["steps"]) as t:
        cube = unit.load(t, bands=order == TO_SAMPLES)
        cube = _walk(
            code, cube, order, lambda layer, key, u: code.neuron(u, potentials[_number_of(layer, key)], tau, v_th)[1]
        )
        unit.store(cube, t, bands=order == TO_BANDS)


def _backward(
    code: Code, units: Iterable[_Unit], order: tuple[int, ...], constants: Any, slope_of: Callable[[Any], Any],
    scratch: Any,
) -> None:  # fmt: skip
    """H of all neurons forwards into the scratch[T, 16, LANES], then the gradient backwards."""
    values, gradients = units
    tau, v_th = constants[:2]
    potentials, carried = code.variables(16), code.variables(16)

    def place(t: Any, number: int) -> Any:
        return code.at((t, t.type(16 * LANES)), t.type(number * LANES))

    with code.steps(values.place["steps"]) as t:

        def fire(layer: int, key: Any, u: Any) -> Any:
            number = _number_of(layer, key)
            h, spikes = code.neuron(u, potentials[number], tau, v_th)
            code.store(h, scratch, place(t, number))
            return spikes

        _walk(code, values.load(t, bands=order == TO_SAMPLES), order, fire, last=False)
    with code.steps(values.place["steps"], backwards=True) as t:

        def back(layer: int, key: Any, g: Any) -> Any:
            number = _number_of(1 - layer, key)
            h = code.load(scratch, place(t, number))
            return code.neuron_back(g, h, carried[number], slope_of(h), constants)

        cube = _walk(code, gradients.load(t, bands=order == TO_BANDS), order[::-1], back)
        gradients.store(cube, t, bands=order == TO_SAMPLES)


def _each_cell(code: Code, places: Any, do: Callable[[Any, Any], None]) -> None:
    """`do` for each column pair and each group of channels."""
    builder = code.builder
    channels, columns = (builder.load(builder.gep(places, [ir.Constant(ir.IntType(64), i)])) for i in (7, 8))
    with code.steps(columns) as column, code.vectors(channels) as lane:
        do(column, lane)


def _make_forward(order: tuple[int, ...]) -> Callable[..., None]:
    def run(code: Code, samples: Any, low: Any, high: Any, places: Any, tau: Any, v_th: Any) -> None:
        constants = code.spread(tau), code.spread(v_th)

        def cell(*at: Any) -> None:
            _forward(code, _Unit(code, [samples, low, high], places, *at), order, *constants)

        _each_cell(code, places, cell)

    return vector_intrinsic(run)


def _make_backward(order: tuple[int, ...], slope_of: Slope) -> Callable[..., None]:
    def run(
        code: Code, samples: Any, low: Any, high: Any, gsamples: Any, glow: Any, ghigh: Any, places: Any, h: Any,
        tau: Any, v_th: Any, alpha: Any,
    ) -> None:  # fmt: skip
        constants, alpha = back_constants(code, tau, v_th), code.spread(alpha)

        def cell(*at: Any) -> None:
            units = (_Unit(code, data, places, *at) for data in ([samples, low, high], [gsamples, glow, ghigh]))
            _backward(code, units, order, constants, lambda v: slope_of(code, v, constants[1], alpha), h)

        _each_cell(code, places, cell)

    return vector_intrinsic(run)


#: Samples [T, B, H, W * C], low [T/2, B, H/2, W/2 * C] and high bands [T/2, 7, B, H/2, W/2 * C], flat, with `places`
#: int64 as in `PLACES`; a gradient also takes their gradients and scratch h[T/2 * 16 * LANES].
split_rows, join_rows = _make_forward(TO_BANDS), _make_forward(TO_SAMPLES)
split_back_sigmoid, split_back_atan = (_make_backward(TO_BANDS, s) for s in (Code.sigmoid_slope, Code.atan_slope))
join_back_sigmoid, join_back_atan = (_make_backward(TO_SAMPLES, s) for s in (Code.sigmoid_slope, Code.atan_slope))
