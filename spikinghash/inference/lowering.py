"""From a layer to a step: a function on arrays that does what the layer does in inference.

Between steps there are no tensors and no module calls, which would cost as much as the small kernels do. A lowering is
registered for one class. It checks every part that it replaces by `expect` or `expect_parts`; where one is of another
class, or watched by a hook, the layer runs as it is (`as_it_is`), which is slower and right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.layers.deferred import has_hooks, is_patched
from spikinghash.layers.norm import BatchNorm
from spikinghash.layers.sequential import SpikingSequential, flat, is_plain
from spikinghash.neurons.lif import LIF
from spikinghash.ops.batch_norm import affine_form

#: An array x[T, B, H, W, C] -> another one of its own. It may not write to x.
Step = Callable[[np.ndarray], np.ndarray]
Layer = TypeVar("Layer")

_LOWERINGS: dict[type, Callable[[Any], Step]] = {}


class UnknownPart(Exception):
    """A part that a lowering cannot replace, by name."""


def lowers(kind: type[Layer]) -> Callable[[Callable[[Layer], Step]], Callable[[Layer], Step]]:
    """Register a function as the lowering of exactly the class `kind`."""

    def register(function: Callable[[Layer], Step]) -> Callable[[Layer], Step]:
        _LOWERINGS[kind] = function
        return function

    return register


def lower(layer: Any) -> Step:
    """The layer as a step: by its lowering, or as it is."""
    try:
        return lower_known(layer)
    except UnknownPart:
        return as_it_is(layer)


def lower_known(layer: Any) -> Step:
    """The layer by its lowering; `UnknownPart` where there is none, or it does not know one of its parts."""
    if type(layer) not in _LOWERINGS:
        raise UnknownPart(type(layer).__name__)
    if isinstance(layer, nn.Module):
        expect(layer, type(layer))
    return _LOWERINGS[type(layer)](layer)


def expect(module: Any, kind: type[Layer]) -> Layer:
    """`module`, if it is exactly a `kind` in inference that nobody watches; `UnknownPart` otherwise."""
    if type(module) is not kind or _is_special(module):
        raise UnknownPart(type(module).__name__)
    return module


def _is_special(module: Any) -> bool:
    return module.training or "forward" in module.__dict__ or is_patched(type(module)) or has_hooks(module)


def expect_parts(sequence: Any, *kinds: type) -> list[Any]:
    """The parts of a sequence, if they are of exactly these classes, in this order."""
    plain = isinstance(sequence, SpikingSequential) and is_plain(sequence)
    found = list(flat(sequence)) if plain else []
    if len(found) != len(kinds):
        raise UnknownPart(type(sequence).__name__)
    return [expect(part, kind) for part, kind in zip(found, kinds, strict=True)]


def expect_pointwise(*convs: nn.Conv2d) -> None:
    """`UnknownPart` for a convolution that is no matrix product."""
    for conv in convs:
        if (*conv.kernel_size, *conv.stride, *conv.padding, conv.groups) != (1, 1, 1, 1, 0, 0, 1):
            raise UnknownPart("Conv")


def require(shape: tuple[int, ...], expected: tuple[int, ...], layer: str) -> None:
    """`ConfigError` where what comes in has another shape than the weights: kernels look at no bounds."""
    if shape != expected:
        raise ConfigError(f"{layer} takes {list(expected)}, not {list(shape)}; give frames of the model's geometry")


def chain(*steps: Step) -> Step:
    """One step after the other."""

    def run(x: np.ndarray) -> np.ndarray:
        for step in steps:
            x = step(x)
        return x

    return run


def as_it_is(layer: Callable[[Tensor], Tensor]) -> Step:
    """A function [T, B, C, H, W] -> [T, B, C', H', W'] on tensors as a step."""

    @torch.no_grad()
    def run(x: np.ndarray) -> np.ndarray:
        # a copy: the layer may give back its input
        y: np.ndarray = layer(torch.from_numpy(x.copy()).movedim(-1, 2)).movedim(2, -1).contiguous().numpy()
        return y

    return run


def neuron_rows(*neurons: Any) -> np.ndarray:
    """tau and v_th of each, float32 [n, 2]."""
    return np.array([expect(neuron, LIF).constants.dynamics() for neuron in neurons], np.float32)


def line_of(norm: Any) -> np.ndarray:
    """Scale and shift of a norm in inference, float32 [2, C]."""
    if expect(norm, BatchNorm).running_mean is None:
        raise UnknownPart("BatchNorm without running statistics")
    return affine_form(norm.num_features, *norm.running())[:2]


def bias_of(layer: nn.Conv2d) -> np.ndarray:
    """The bias, zeros where there is none."""
    return np.zeros(len(layer.weight), np.float32) if layer.bias is None else layer.bias.detach().numpy().copy()
