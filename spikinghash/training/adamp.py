"""AdamP with one kernel call a parameter group on CPU; the library's own step everywhere else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pytorch_optimizer import AdamP
from torch import Tensor

from spikinghash.training.adamp_kernel import adamp
from spikinghash.training.averaging import average_gradients, fill_missing

_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class _Flat:
    """A group's parameters end to end: buffers [N], and for each buffer the views with the parameters' shapes."""

    params: list[Tensor]
    weights: Tensor
    weight_views: list[Tensor]
    gradients: Tensor
    moments: tuple[Tensor, Tensor]
    ends: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class _Gathered:
    """All groups, and their gradients in one buffer [N]."""

    groups: list[_Flat]
    gradients: Tensor
    gradient_views: list[Tensor]


class FlatAdamP(AdamP):
    """The library's AdamP in its default form (decoupled decay, no Nesterov), equal to it up to rounding.

    The state dictionary is the library's, so states are exchangeable.
    """

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, lr=lr)
        self._gathered: _Gathered | None = None

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step on all groups."""
        if closure is not None or not self._plain():
            return super().step(closure)
        self._step(math.inf, None)
        return None

    @torch.no_grad()
    def clipped_step(self, max_norm: float, average: Callable[[Tensor], None] | None = None) -> float:
        """As `clip_grad_norm_`, then a step; returns the norm before. The gradients themselves may stay as they are.

        `average` makes a tensor the mean of those of all workers, in place.
        """
        everything = [p for group in self.param_groups for p in group["params"]]
        if average is not None:
            fill_missing(everything)
        if self._plain():
            return self._step(max_norm, average)
        if average is not None:
            average_gradients(everything, average)
        norm = float(torch.nn.utils.clip_grad_norm_(everything, max_norm))
        super().step()
        return norm

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As the library's, without its bookkeeping, which takes longer than the kernel of a step."""
        if not set_to_none:
            super().zero_grad(set_to_none)
            return
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def _plain(self) -> bool:
        many = [p for group in self.param_groups for p in group["params"]]
        if self._gathered is None and not all(p.device.type == "cpu" and p.dtype == torch.float32 for p in many):
            return False
        return all(p.grad is not None for p in many)

    def _step(self, max_norm: float, average: Callable[[Tensor], None] | None) -> float:
        all_groups = self._gather()
        gradients = all_groups.gradients
        given = [p.grad for flat in all_groups.groups for p in flat.params if p.grad is not None]
        torch._foreach_copy_(all_groups.gradient_views, given)
        if average is not None:
            average(gradients)
        norm = float(torch.linalg.vector_norm(gradients))
        # as the library: a little below the norm, and never longer than before
        share = min(1.0, max_norm / (norm + 1e-6))
        if share < 1.0:
            gradients.mul_(share)
        for flat, group in zip(all_groups.groups, self.param_groups, strict=True):
            group["step"] += 1
            self._update(flat, group)
        return norm

    def _update(self, flat: _Flat, group: dict[str, Any]) -> None:
        torch._foreach_copy_(flat.weight_views, flat.params)
        beta1, beta2 = group["betas"]
        gain = math.sqrt(1.0 - beta2 ** group["step"])
        rate = group["lr"] / (1.0 - beta1 ** group["step"])
        p, g, m, v = (t.numpy() for t in (flat.weights, flat.gradients, *flat.moments))
        rates = rate, group["weight_decay"] * group["lr"], group["delta"], group["wd_ratio"]
        adamp(p, g, m, v, np.empty_like(p), flat.ends, flat.rows, (beta1, beta2), group["eps"], gain, *rates)
        torch._foreach_copy_(flat.params, flat.weight_views)

    def load_state_dict(self, state_dict: Any) -> None:
        """As the library's."""
        self._gathered = None
        super().load_state_dict(state_dict)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As the library's."""
        self._gathered = None
        super().add_param_group(param_group)

    def _gather(self) -> _Gathered:
        """The buffers, kept until states are loaded or groups added."""
        if self._gathered is None:
            for group in self.param_groups:
                self.init_group(group)
            many = [list(group["params"]) for group in self.param_groups]
            gradients = torch.empty(sum(p.numel() for params in many for p in params))
            shares = gradients.split([sum(p.numel() for p in params) for params in many])
            groups = [self._flat(params, share) for params, share in zip(many, shares, strict=True)]
            self._gathered = _Gathered(groups, gradients, _views(gradients, [p for params in many for p in params]))
        return self._gathered

    def _flat(self, params: list[Tensor], gradients: Tensor) -> _Flat:
        moments = []
        for key in _MOMENTS:
            flat = _end_to_end([self.state[p][key] for p in params])
            for p, view in zip(params, _views(flat, params), strict=True):
                self.state[p][key] = view
            moments.append(flat)
        weights, ends = _end_to_end(params), np.cumsum([p.numel() for p in params], dtype=np.int64)
        rows = np.array([p.shape[0] if p.ndim > 1 else 0 for p in params], np.int64)
        return _Flat(params, weights, _views(weights, params), gradients, (moments[0], moments[1]), ends, rows)


def _end_to_end(tensors: list[Tensor]) -> Tensor:
    return torch.cat([t.reshape(-1) for t in tensors]) if tensors else torch.empty(0)


def _views(flat: Tensor, like: list[Tensor]) -> list[Tensor]:
    return [part.view(p.shape) for part, p in zip(flat.split([p.numel() for p in like]), like, strict=True)]
