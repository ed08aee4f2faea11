"""Steps that wait for the next one, so that a convolution or a norm costs no pass over memory of its own.

A batch norm is x * scale + shift, neurons are applied to that, and a matrix product sums rows of weights where they
fire: one operator can do all three. So a part of a sequence may hand on what is still to be done instead of doing it.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from spikinghash.neurons.lif import LIF
from spikinghash.ops.batch_norm import NO_NORM, Norm, batch_norm
from spikinghash.ops.lif import lif

#: Classes that defer, and the `forward` that they had then.
_DEFERRABLE: dict[type, object] = {LIF: LIF.forward}
_T = TypeVar("_T", bound=type)


class Deferred(NamedTuple):
    """x [T, ..., C], dense and channel last, and what is to be done to it, in this order.

    `bias` [C] is added, `norm` applied, `neuron` fires. `moments` float64 [2, C] are those of x where they are known.
    """

    x: Tensor
    moments: Tensor | None = None
    bias: Tensor | None = None
    norm: Norm = NO_NORM
    neuron: LIF | None = None

    def charge(self) -> Tensor:
        """x plus the bias."""
        return self.x if self.bias is None else self.x + self.bias

    def tensor(self) -> Tensor:
        """Everything done."""
        if self.neuron is not None:
            spikes: Tensor = lif(self.charge(), *self.norm, *self.neuron.constants.arguments())
            return spikes
        return self.charge() if self.norm is NO_NORM else batch_norm(self.charge(), *self.norm)

    def fired(self, neuron: LIF) -> Deferred:
        """With neurons behind it."""
        return (self if self.neuron is None else Deferred(self.tensor()))._replace(neuron=neuron)


def deferrable(kind: _T) -> _T:
    """Class decorator: the class has `defer(Deferred) -> Deferred` beside `forward`; subclasses must say so again."""
    _DEFERRABLE[kind] = vars(kind).get("forward")
    return kind


def can_defer(part: object) -> bool:
    """Whether `part` is exactly a class that defers, and nobody waits for its call."""
    if type(part) not in _DEFERRABLE or is_patched(type(part)):
        return False
    return not (isinstance(part, nn.Module) and ("forward" in part.__dict__ or has_hooks(part)))


def is_patched(kind: type) -> bool:
    """Whether a class that defers has another `forward` by now."""
    return kind in _DEFERRABLE and vars(kind).get("forward") is not _DEFERRABLE[kind]


def has_hooks(module: nn.Module) -> bool:
    """Whether a call of `module` would run somebody's hook."""
    own = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
    return bool(own) or _has_any_global_hook()
