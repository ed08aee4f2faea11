"""A batch norm as operators apply it while they read x, and on its own: x * scale + shift by channel.

Each operation is rounded on its own, so that a value does not depend on its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikinghash.kernels import norm as kernel
from spikinghash.ops.operator import array, by_channel, dense, gradient, operator, saving

#: The schema of a norm, and its values: moments float64 [2, C], weight [C], bias [C], eps; or `NO_NORM`.
NORM = "Tensor? moments, Tensor? weight, Tensor? bias, float eps"
Norm = tuple[Tensor | None, Tensor | None, Tensor | None, float]
NO_NORM: Norm = (None, None, None, 0.0)
#: What kernels take of no norm.
NO_FORM = np.empty((3, 0), np.float32)


def affine_form(C: int, moments: Any, weight: Any, bias: Any, eps: float) -> np.ndarray:
    """Scale, shift, and the mean as a pivot for sums, float32 [3, C]; [3, 0] of no norm. `ValueError` for another C."""
    if moments is None:
        return NO_FORM
    if not moments.shape[1] == weight.numel() == bias.numel() == C:
        raise ValueError(f"a norm of {weight.numel()} weights and {bias.numel()} biases for {C} channels")
    form: np.ndarray = kernel.affine_form(array(moments), array(weight), array(bias), eps)
    return form


def norm_backward(norm: Norm, form: np.ndarray, sums: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of moments, weight and bias; sums[2, C] over rows of g and g * (x - form[2]). Empty of no norm."""
    moments, weight, _, eps = norm
    if moments is None or weight is None:
        return torch.empty(0), torch.empty(0), torch.empty(0)
    found = kernel.affine_form_backward(array(moments), array(weight), eps, form[2], sums)
    return torch.from_numpy(found[0]), torch.from_numpy(found[1]), torch.from_numpy(found[2])


def norm_fake(x: Tensor, *norm: Any) -> tuple[Tensor, ...]:
    """Shapes of `norm_backward`."""
    return tuple(x.new_empty(0) if t is None else torch.empty_like(t) for t in norm[:3])


def of_norm(norm: Iterable[Tensor | None], gradients: Iterable[Tensor]) -> tuple[Tensor | None, ...]:
    """The gradients of moments, weight, bias and eps, as autograd takes them."""
    return *(None if t is None else g for t, g in zip(norm, gradients, strict=True)), None


def _cpu(x: Tensor, *norm: Any) -> Tensor:
    out, (scale, shift, _) = dense(x), affine_form(x.shape[-1], *norm)
    kernel.affine(by_channel(array(x)), scale, shift, by_channel(out.numpy()))
    return out


def _backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    x, *norm = ctx.saved_tensors
    gx, *by_norm = gradient(batch_norm_backward, g.contiguous(), x, *norm, *ctx.rest)
    return gx, *of_norm(norm, by_norm)


def _backward_cpu(g: Tensor, x: Tensor, *norm: Any) -> tuple[Tensor, ...]:
    out, form = dense(x), affine_form(x.shape[-1], *norm)
    sums = kernel.affine_backward(by_channel(array(g)), by_channel(array(x)), form, by_channel(out.numpy()))
    return out, *norm_backward(norm, form, sums)


_SCHEMA = "Tensor moments, Tensor weight, Tensor bias, float eps"
batch_norm_backward = operator(
    "batch_norm_backward", f"(Tensor g, Tensor x, {_SCHEMA}) -> (Tensor, Tensor, Tensor, Tensor)",
    cpu=_backward_cpu, fake=lambda g, x, *norm: (dense(x), *norm_fake(x, *norm)),
)  # fmt: skip
#: batch_norm(x [..., C], moments float64 [2, C], weight [C], bias [C], eps) -> [..., C].
batch_norm = operator(
    "batch_norm", f"(Tensor x, {_SCHEMA}) -> Tensor",
    cpu=_cpu, fake=lambda x, *_: dense(x), setup=saving(4), backward=_backward,
)  # fmt: skip


def batch_norm_reference(x: Tensor, moments: Any, weight: Any, bias: Any, eps: float) -> Tensor:
    """`batch_norm` in plain torch; x itself of no norm."""
    if moments is None:
        return x
    scale = weight / (moments[1] + eps).sqrt()
    y: Tensor = x * scale.to(x.dtype) + (bias - moments[0] * scale).to(x.dtype)
    return y
