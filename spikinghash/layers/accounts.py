"""What a layer says of itself: its operations, for energy, and its sums, for exact inference.

A layer gives both by the methods of `Accounted`; torch's own classes are known here. One that says nothing is an error,
for 0 pJ and a sum that is not exact would look like an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from spikingjelly.activation_based.surrogate import SurrogateFunctionBase
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.neurons.neuron import Neuron

#: Parts of a network that no code depends on.
UNUSED = ("classifier",)
_FREE = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.ReLU, nn.GELU, nn.Sigmoid, nn.Tanh, nn.MaxPool2d, nn.AvgPool2d,
    nn.Identity, nn.Dropout, nn.Flatten, nn.ModuleDict, nn.ModuleList, nn.ParameterList, Neuron, SurrogateFunctionBase,
)  # fmt: skip
#: The firing rate of a part, by its name within the layer.
Rates = Callable[[str], float]


@dataclass(frozen=True)
class Operation:
    """`macs` of a call over all steps and clips; `rate` is the mean of the input where it is binary, else None."""

    name: str
    kind: str
    macs: int
    rate: float | None = None


@dataclass(frozen=True)
class ExactSum:
    """Weights [K, ...] that one sum runs over; `largest` bounds that sum, `bits` the grid steps that it may have."""

    weights: tuple[Tensor, ...]
    largest: float
    bits: int = 23


@runtime_checkable
class Accounted(Protocol):
    """A layer that says what it does beyond its parts."""

    def operations(self, x: Tensor, y: Any, rate: Rates) -> Iterator[Operation]:
        """Of a call with first input x and output y."""
        ...

    def exact_sums(self) -> Iterator[ExactSum]:
        """Sums over spikes, 0 or 1, times its own weights."""
        ...


class Composed:
    """A layer that does nothing countable beyond its parts."""

    def operations(self, x: Tensor, y: Any, rate: Rates) -> Iterator[Operation]:
        """None."""
        yield from ()

    def exact_sums(self) -> Iterator[ExactSum]:
        """None."""
        yield from ()


def operations_of(module: nn.Module, name: str, x: Tensor, y: Any, rate: Rates) -> Iterator[Operation]:
    """What `module`, called `name`, did; `ConfigError` where it does not say."""
    if isinstance(module, Accounted):
        yield from module.operations(x, y, rate)
    elif isinstance(module, nn.Conv2d):
        yield Operation("", "convolution", y.numel() * module.weight[0].numel(), _spike_rate(x))
    elif isinstance(module, nn.Linear):
        yield Operation("", "linear", y.numel() * module.in_features, _spike_rate(x))
    elif not _is_free(module):
        raise _silent(module, name, "operations")


def _spike_rate(x: Tensor) -> float | None:
    """Mean of what is 0 or 1 everywhere, None for anything else."""
    return float((x != 0).float().mean()) if bool(((x == 0) | (x == 1)).all()) else None


def exact_sums_of(module: nn.Module, name: str, largest_input: int) -> Iterator[ExactSum]:
    """The sums of `module`, called `name`, over inputs up to `largest_input`; `ConfigError` where it does not say."""
    if isinstance(module, Accounted):
        yield from module.exact_sums()
    elif isinstance(module, nn.Conv2d):
        weights = (module.weight,) if module.bias is None else (module.weight, module.bias)
        yield ExactSum(weights, float(module.weight.detach().abs().flatten(1).sum(1).max()) * largest_input)
    elif not _is_free(module):
        raise _silent(module, name, "exact_sums")


def _is_free(module: nn.Module) -> bool:
    sequence = isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward
    return sequence or isinstance(module, _FREE)


def _silent(module: nn.Module, name: str, method: str) -> ConfigError:
    return ConfigError(
        f"layer {name or 'at the top'} ({type(module).__name__}) does not say its {method.replace('_', ' ')}: "
        f"give it `{method}`, or make it `Composed` (docs/extend/layer.md)"
    )
