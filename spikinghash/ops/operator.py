"""Registration of an operator with `torch.library`, and how its code sees tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

NAMESPACE = "spikinghash"


def operator(
    name: str, schema: str, *, cpu: Callable[..., Any], fake: Callable[..., Any],
    setup: Callable[..., None] | None = None, backward: Callable[..., Any] | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """Register `spikinghash::name` and return it.

    `cpu` computes, `fake` gives the shapes, `setup(ctx, inputs, output)` saves what `backward(ctx, *gradients)` needs.
    One without `backward` is itself a gradient: to differentiate it again is an error.
    """
    qualified = f"{NAMESPACE}::{name}"
    torch.library.define(qualified, schema)
    torch.library.impl(qualified, "CPU", cpu)
    torch.library.register_fake(qualified, fake)
    torch.library.register_autograd(qualified, backward or _once(qualified), setup_context=setup)
    return getattr(getattr(torch.ops, NAMESPACE), name).default


def _once(name: str) -> Callable[..., Any]:
    def refuse(_: Any, *__: Tensor) -> Any:
        raise RuntimeError(f"{name} is a gradient and cannot be differentiated again; use create_graph=False")

    return refuse


def array(x: Tensor) -> np.ndarray:
    """The values of a CPU tensor, dense, without a copy where it is."""
    values: np.ndarray = x.detach().contiguous().numpy()
    return values


def by_step(x: np.ndarray) -> np.ndarray:
    """x[T, ...] -> [T, N]."""
    return x.reshape(len(x), -1)


def by_channel(x: np.ndarray) -> np.ndarray:
    """x[..., C] -> [R, C]."""
    return x.reshape(-1, x.shape[-1])


def dense(x: Tensor, *shape: int) -> Tensor:
    """An empty tensor of that shape, row-major, of the type and device of x."""
    return x.new_empty(shape or x.shape)
