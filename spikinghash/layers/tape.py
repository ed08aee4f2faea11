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

from spikinghash.layers.fused import is_watched, runs_fused
from spikinghash.layers.views import Views, tensors_of, views

#: From the gradient of a step's result to that of its input; called at most once. It gives a new array and leaves what
#: it gets.
Back = Callable[[np.ndarray], np.ndarray]


class Gradients:
    """Gradients by parameter, and the batch norms that saw a batch."""

    def __init__(self, views: Views | None = None) -> None:
        self._views: Views = {} if views is None else views
        # by `id`: a tensor's own hash is a call into Python
        self._found: dict[int, tuple[Tensor, np.ndarray]] = {}
        self.norms: list[nn.BatchNorm2d] = []

    def array(self, tensor: Tensor) -> np.ndarray:
        """The values of a parameter or buffer; asked for again, it is quicker."""
        found = self._views.get(id(tensor))
        if found is None:
            found = self._views[id(tensor)] = tensor.detach().numpy()
        return found

    def add(self, parameter: Tensor, gradient: np.ndarray) -> None:
        """One more term of a parameter's gradient, with as many values, in memory that nobody else writes to."""
        before = self._found.get(id(parameter))
        self._found[id(parameter)] = parameter, gradient if before is None else before[1] + gradient

    def of(self, parameter: Tensor) -> Tensor | None:
        """The gradient in the parameter's shape, dense; None without one."""
        _, found = self._found.get(id(parameter), (parameter, None))
        return None if found is None else torch.from_numpy(np.ascontiguousarray(found).reshape(parameter.shape))

    def hand_out(self) -> None:
        """Add them to what the parameters have, as autograd does with its own."""
        for parameter, _ in self._found.values():
            own = self.of(parameter)
            if own is not None and parameter.requires_grad:
                parameter.grad = own if parameter.grad is None else parameter.grad + own

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
                grads.add(parameter, gradient.numpy())
        return np.zeros_like(x) if first is None else np.array(first.numpy(), order="C")

    return y.detach().contiguous().numpy(), back


class _Network(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, network: nn.Module, x: Tensor, _anchor: Tensor) -> Tensor:
        grads = Gradients(views(network))
        y, back = network.forward_back(x.numpy(), grads)  # type: ignore[operator]
        grads.count_batches()
        ctx.back, ctx.grads, ctx.shape = back, grads, y.shape
        return torch.from_numpy(y.mean((2, 3)))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, None, None]:
        _, _, H, W, _ = ctx.shape
        share = grad.numpy()[:, :, None, None] * np.float32(1.0 / (H * W))
        ctx.back(np.array(np.broadcast_to(share, ctx.shape), order="C"))
        ctx.grads.hand_out()
        ctx.back = ctx.grads = None
        return None, None, None


def is_taped(module: nn.Module, x: Tensor) -> bool:
    """Whether `module` may train as one function: on CPU, of x without gradient, and nobody watches its parts."""
    return (
        module.training
        and torch.is_grad_enabled()
        and runs_fused(x)
        and not x.requires_grad
        and not is_watched(module)
        and not _is_heard(module)
    )


def _is_heard(module: nn.Module) -> bool:
    """Whether somebody waits for the gradient of a parameter."""
    return any(t._backward_hooks or t._post_accumulate_grad_hooks for t in tensors_of(module))


def trained(network: nn.Module, x: Tensor) -> Tensor:
    """Frames x [T, B, P, H, W] through the taped form of a network -> features [T, B, C], means over space.

    `backward` leaves gradients in the parameters itself: autograd takes longer to pass a hundred small ones on than
    the kernels to find them. So `torch.autograd.grad` does not see these parameters, and DDP hears nothing of them;
    workers on CPU share gradients by `training/averaging.py`.
    """
    anchor = torch.zeros((), requires_grad=True)
    features: Tensor = _Network.apply(network, x.contiguous(), anchor)
    return features
