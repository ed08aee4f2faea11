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

_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class _Flat:
    """A group's parameters end to end: buffers [N], and for each buffer the views with the parameters' shapes."""

    params: list[Tensor]
    weights: Tensor
    weight_views: list[Tensor]
    gradients: Tensor
    gradient_views: list[Tensor]
    moments: tuple[Tensor, Tensor]
    moment_views: tuple[list[Tensor], list[Tensor]]
    ends: np.ndarray
    rows: np.ndarray


class FlatAdamP(AdamP):
    """The library's AdamP in its default form (decoupled decay, no Nesterov), equal to it up to rounding.

    The state dictionary is the library's, so states are exchangeable.
    """

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, lr=lr)
        self._flats: dict[int, _Flat] = {}

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step on all groups."""
        if closure is not None or not self._plain():
            return super().step(closure)
        self._step(math.inf)
        return None

    @torch.no_grad()
    def clipped_step(self, max_norm: float) -> float:
        """As `clip_grad_norm_`, then a step; returns the norm before. The gradients themselves may stay as they are."""
        if self._plain():
            return self._step(max_norm)
        everything = [p for group in self.param_groups for p in group["params"]]
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
        return all(_is_plain(p) for group in self.param_groups for p in group["params"])

    def _step(self, max_norm: float) -> float:
        flats = []
        for number, group in enumerate(self.param_groups):
            if number not in self._flats:
                self.init_group(group)
            group["step"] += 1
            if group["params"]:
                flat = self._flat(number, group)
                given = [p.grad for p in flat.params if p.grad is not None]
                torch._foreach_copy_(flat.gradient_views, given)
                flats.append((flat, group, flat.gradients))
        norm = math.hypot(*(float(torch.linalg.vector_norm(g)) for _, _, g in flats))
        # as the library: a little below the norm, and never longer than before
        share = min(1.0, max_norm / (norm + 1e-6))
        for flat, group, gradients in flats:
            self._update(flat, group, gradients if share == 1.0 else gradients.mul_(share))
        return norm

    def _update(self, flat: _Flat, group: dict[str, Any], gradients: Tensor) -> None:
        torch._foreach_copy_(flat.weight_views, flat.params)
        beta1, beta2 = group["betas"]
        gain = math.sqrt(1.0 - beta2 ** group["step"])
        rate = group["lr"] / (1.0 - beta1 ** group["step"])
        p, g, m, v = (t.numpy() for t in (flat.weights, gradients, *flat.moments))
        rates = rate, group["weight_decay"] * group["lr"], group["delta"], group["wd_ratio"]
        adamp(p, g, m, v, np.empty_like(p), flat.ends, flat.rows, (beta1, beta2), group["eps"], gain, *rates)
        torch._foreach_copy_(flat.params, flat.weight_views)

    def load_state_dict(self, state_dict: Any) -> None:
        """As the library's."""
        self._flats.clear()
        super().load_state_dict(state_dict)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As the library's."""
        self._flats = {}
        super().add_param_group(param_group)

    def _flat(self, number: int, group: dict[str, Any]) -> _Flat:
        """The group's buffers, kept until states are loaded or groups added."""
        if number not in self._flats:
            self._flats[number] = self._gather(group["params"])
        return self._flats[number]

    def _gather(self, params: list[Tensor]) -> _Flat:
        sizes = [p.numel() for p in params]

        def views(flat: Tensor) -> list[Tensor]:
            return [part.view(p.shape) for part, p in zip(flat.split(sizes), params, strict=True)]

        weights, gradients = torch.cat([p.reshape(-1) for p in params]), torch.empty(sum(sizes))
        first, second = (torch.cat([self.state[p][key].reshape(-1) for p in params]) for key in _MOMENTS)
        parts = views(first), views(second)
        for key, many in zip(_MOMENTS, parts, strict=True):
            for p, view in zip(params, many, strict=True):
                self.state[p][key] = view
        rows = np.array([p.shape[0] if p.ndim > 1 else 0 for p in params])
        return _Flat(
            list(params),
            weights,
            views(weights),
            gradients,
            views(gradients),
            (first, second),
            parts,
            np.cumsum(sizes),
            rows,
        )


def _is_plain(p: Tensor) -> bool:
    return p.device.type == "cpu" and p.dtype == torch.float32 and p.grad is not None and not p.grad.is_sparse
