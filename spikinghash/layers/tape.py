"""Training on CPU as a chain of kernels on arrays: each step gives its result and a function that undoes it.

Autograd keeps its books for every tensor operation; in a network of small layers that takes a quarter of the time. Here
a whole network is one autograd function. A layer that has such a form gives it as `forward_back`; every other layer
runs under autograd as it is (`by_autograd`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers.fused import parts, runs_fused

#: From the gradient of a step's result to that of its input; called at most once. It gives a new array and leaves what
#: it gets.
Back = Callable[[np.ndarray], np.ndarray]


class Gradients:
    """Gradients by parameter, and the batch norms that saw a batch."""

    def __init__(self) -> None:
        self._found: dict[Tensor, Tensor | np.ndarray] = {}
        self.norms: list[nn.BatchNorm2d] = []

    def add(self, parameter: Tensor, gradient: Tensor | np.ndarray) -> None:
        """One more term of a parameter's gradient, with as many values."""
        before = self._found.get(parameter)
        self._found[parameter] = gradient if before is None else before + gradient

    def of(self, parameter: Tensor) -> Tensor | None:
        """The gradient in the parameter's shape, dense as autograd and DDP want it; None without one."""
        found = self._found.get(parameter)
        if isinstance(found, np.ndarray):
            # numpy's calls take half as long
            return torch.from_numpy(np.ascontiguousarray(found).reshape(parameter.shape))
        return None if found is None else found.reshape(parameter.shape).contiguous()

    def count_batches(self) -> None:
        """As `nn.BatchNorm2d` does, in one call; also tells those who keep constants that the statistics changed."""
        torch._foreach_add_([norm.num_batches_tracked for norm in self.norms], 1)  # type: ignore[misc]


#: x[T, B, H, W, C] -> result and its way back. A step does not keep its result, so the next one may write to it.
Taped = tuple[np.ndarray, Back]
Layer = Callable[[np.ndarray, Gradients], Taped]


def layer_of(module: nn.Module) -> Layer:
    """The taped form of `module`: its own, or its `forward` [T, B, C, H, W] under autograd."""
    own: Layer | None = getattr(module, "forward_back", None)
    if own is not None:
        return own

    def run(x: np.ndarray, grads: Gradients) -> Taped:
        return by_autograd(lambda t: module(t.movedim(-1, 2)).movedim(2, -1), module.parameters(), x, grads)

    return run


def in_sequence(layers: Iterable[Layer], x: np.ndarray, grads: Gradients) -> Taped:
    """One layer after the other."""
    backs = []
    for layer in layers:
        x, back = layer(x, grads)
        backs.append(back)
    return x, undo(backs)


def undo(backs: list[Back]) -> Back:
    """The ways back of steps in sequence; what a step kept is let go as soon as it is undone."""

    def back(g: np.ndarray) -> np.ndarray:
        while backs:
            g = backs.pop()(g)
        return g

    return back


def by_autograd(
    function: Callable[[Tensor], Tensor], parameters: Iterable[Tensor], x: np.ndarray, grads: Gradients
) -> Taped:
    """A function of tensors in the layout of x."""
    own = list(parameters)
    with torch.enable_grad():
        leaf = torch.from_numpy(x).requires_grad_()
        y = function(leaf)

    def back(g: np.ndarray) -> np.ndarray:
        first, *rest = torch.autograd.grad(y, [leaf, *own], torch.from_numpy(g), allow_unused=True)
        for parameter, gradient in zip(own, rest, strict=True):
            if gradient is not None:
                grads.add(parameter, gradient)
        return np.zeros_like(x) if first is None else np.array(first.numpy(), order="C")

    return y.detach().contiguous().numpy(), back


class _Network(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, layer: Layer, x: Tensor, *parameters: Tensor) -> Tensor:
        grads = Gradients()
        y, back = layer(x.numpy(), grads)
        grads.count_batches()
        ctx.back, ctx.grads, ctx.parameters = back, grads, parameters
        return torch.from_numpy(y)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        ctx.back(np.array(grad.numpy(), order="C"))
        found = tuple(ctx.grads.of(p) for p in ctx.parameters)
        ctx.back = ctx.grads = None
        return None, None, *found


def is_taped(module: nn.Module, x: Tensor) -> bool:
    """Whether `module` may train as one function: on CPU, of x without gradient, and nobody watches its parts."""
    return (
        module.training
        and torch.is_grad_enabled()
        and runs_fused(x)
        and not x.requires_grad
        and not any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in parts(module))
    )


def trained(network: nn.Module, x: Tensor) -> Tensor:
    """Frames x [T, B, P, H, W] through the taped form of a network -> features [T, B, C, H', W'], differentiable."""
    own = [p for m in parts(network) for p in m._parameters.values() if p is not None]
    y: Tensor = _Network.apply(network.forward_back, x.contiguous(), *own)
    return y.movedim(-1, 2)
