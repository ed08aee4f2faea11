"""What inference kernels need of a layer's weights, made once and kept as long as the weights stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from torch import Tensor, nn

_T = TypeVar("_T")


def kept(owner: nn.Module, tensors: list[Tensor | None], make: Callable[[], _T]) -> _T:
    """`make()`, remembered in `owner` until one of `tensors`, all that it depends on, is another, moved or written to.

    The tensors themselves are remembered too, so that no new one can take the place in memory of an old one.
    """
    versions = [None if t is None else (t._version, t.data_ptr()) for t in tensors]
    found = owner.__dict__.get("_kept")
    if found is None or found[1] != versions or any(a is not b for a, b in zip(found[0], tensors, strict=True)):
        found = owner.__dict__["_kept"] = (tensors, versions, make())
    value: _T = found[2]
    return value


def norm_tensors(norm: nn.BatchNorm2d) -> list[Tensor | None]:
    """What an inference norm depends on; kernels write the running statistics unseen, but count the batches."""
    return [norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.num_batches_tracked]
