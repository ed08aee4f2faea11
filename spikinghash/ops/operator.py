"""Registration of an operator with `torch.library`, and how its code sees tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._C import _after_autograd_keyset, _AutoDispatchBelowAutograd

NAMESPACE = "spikinghash"
_LIBRARY = torch.library.Library(NAMESPACE, "DEF")


def operator(
    name: str, schema: str, *, cpu: Callable[..., Any], fake: Callable[..., Any],
    setup: Callable[..., None] | None = None, backward: Callable[..., Any] | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """Register `spikinghash::name` and return it.

    `cpu` computes, `fake` gives the shapes, `setup(ctx, inputs, output)` saves what `backward(ctx, *gradients)` needs.
    One without `backward` is itself a gradient, to be called by `gradient`.
    """
    _LIBRARY.define(name + schema)
    _LIBRARY.impl(name, cpu, "CPU")
    torch.library.register_fake(f"{NAMESPACE}::{name}", fake, lib=_LIBRARY)
    found = getattr(getattr(torch.ops, NAMESPACE), name).default
    if setup is not None and backward is not None:
        _LIBRARY.impl(name, _autograd(found, setup, backward), "Autograd", with_keyset=True)
    return found


def _autograd(found: Any, setup: Callable[..., None], backward: Callable[..., Any]) -> Callable[..., Any]:
    """The autograd kernel of an operator: as `torch.library.register_autograd`, at a third of its time for a call."""

    class Differentiable(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, keys: Any, *inputs: Any) -> Any:
            with _AutoDispatchBelowAutograd():
                output = found.redispatch(keys & _after_autograd_keyset, *inputs)
            setup(ctx, inputs, output)
            return output

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            return None, *backward(ctx, *gradients)

    def run(keys: Any, *inputs: Any) -> Any:
        if torch.is_grad_enabled():
            return Differentiable.apply(keys, *inputs)
        with _AutoDispatchBelowAutograd():
            return found.redispatch(keys & _after_autograd_keyset, *inputs)

    return run


def saving(tensors: int, *, outputs: bool = False) -> Callable[..., None]:
    """A setup that saves the first inputs, so many tensors, and perhaps the outputs; `ctx.rest` are other inputs."""

    def setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        results = output if isinstance(output, tuple) else (output,)
        ctx.save_for_backward(*inputs[:tensors], *(results if outputs else ()))
        ctx.rest = inputs[tensors:]

    return setup


class _Once(torch.autograd.Function):
    """A gradient under `create_graph`: differentiating it again is an error and not a missing term."""

    @staticmethod
    def forward(ctx: Any, found: Any, *inputs: Any) -> Any:
        ctx.name = found.name()
        return found(*inputs)

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> Any:
        raise RuntimeError(f"{ctx.name} is a gradient and cannot be differentiated again; use create_graph=False")


def gradient(found: Callable[..., Any], *inputs: Any) -> Any:
    """Call an operator that is a gradient."""
    return _Once.apply(found, *inputs) if torch.is_grad_enabled() else found(*inputs)


def array(x: Tensor) -> np.ndarray:
    """The values of a CPU tensor, dense, without a copy where it is."""
    values: np.ndarray = x.contiguous().numpy(force=True)
    return values


def by_step(x: np.ndarray) -> np.ndarray:
    """x[T, ...] -> [T, N]."""
    return x.reshape(len(x), -1)


def by_channel(x: np.ndarray) -> np.ndarray:
    """x[..., C] -> [R, C]."""
    return x.reshape(-1, x.shape[-1])


def dense(x: Tensor, *shape: int) -> Tensor:
    """An empty tensor of that shape, that of x by default, row-major, of the type and device of x."""
    return x.new_empty(shape) if shape else torch.empty_like(x, memory_format=torch.contiguous_format)
