"""One wavelet level as (low, high) bands, with fused kernels on CPU where the neuron is a plain LIF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import haar_kernel
from spikinghash.layers.fused import NeuronConstants, runs_fused
from spikinghash.layers.haar import Neuron, dwt3, idwt3
from spikinghash.layers.haar_spatial import dwt2, idwt2
from spikinghash.layers.neuron import LIF
from spikinghash.layers.vector_rows import LANES


def _flat(x: Tensor) -> Any:
    """[..., W, C] as an array [..., W * C]."""
    return x.detach().flatten(-2).numpy()


def _split(x: Tensor, k: NeuronConstants) -> tuple[Tensor, Tensor]:
    T, B, H, W, C = x.shape
    low, high = x.new_empty(T // 2, B, H // 2, W // 2, C), x.new_empty(T // 2, 7, B, H // 2, W // 2, C)
    haar_kernel.dwt(_flat(x), _flat(low), _flat(high), C, *k.dynamics())
    return low, high


def _join(low: Tensor, high: Tensor, k: NeuronConstants) -> Tensor:
    T, B, H, W, C = low.shape
    out = low.new_empty(2 * T, B, 2 * H, 2 * W, C)
    haar_kernel.idwt(_flat(low), _flat(high), _flat(out), C, *k.dynamics())
    return out


class _Split(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, k: NeuronConstants) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(x)
        ctx.k = k
        return _split(x, k)

    @staticmethod
    def backward(ctx: Any, glow: Tensor, ghigh: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        out = torch.empty_like(x)
        gradients = _flat(glow.contiguous()), _flat(ghigh.contiguous()), _flat(out)
        haar_kernel.dwt_backward(_flat(x), *gradients, x.shape[-1], *ctx.k.gradient())
        return out, None


class _Join(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, low: Tensor, high: Tensor, k: NeuronConstants) -> Tensor:
        ctx.save_for_backward(low, high)
        ctx.k = k
        return _join(low, high, k)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        low, high = ctx.saved_tensors
        glow, ghigh = torch.empty_like(low), torch.empty_like(high)
        arrays = _flat(low), _flat(high), _flat(grad.contiguous()), _flat(glow), _flat(ghigh)
        haar_kernel.idwt_backward(*arrays, low.shape[-1], *ctx.k.gradient())
        return glow, ghigh, None


def _constants(x: Tensor, neuron: Neuron, temporal: bool) -> NeuronConstants | None:
    """The neuron's constants where the fused kernels apply: hooks must see a real call of the neuron."""
    if not isinstance(neuron, LIF) or neuron._forward_hooks or not temporal or not runs_fused(x):
        return None
    return neuron.constants


def band_steps(neuron: LIF, *, temporal: bool) -> tuple[Callable[[Any], tuple[Any, Any]], Callable[[Any, Any], Any]]:
    """`split_bands` and `join_bands` in inference on arrays."""

    @torch.no_grad()
    def split(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = split_bands(torch.from_numpy(x), neuron, temporal=temporal)
        return low.contiguous().numpy(), high.contiguous().numpy()

    @torch.no_grad()
    def join(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        joined = join_bands(torch.from_numpy(low), torch.from_numpy(high), neuron, temporal=temporal)
        x: np.ndarray = joined.contiguous().numpy()
        return x

    return split, join


def _whole_vectors(x: Tensor) -> Tensor:
    """x[..., C] dense, with silent channels up to whole vectors."""
    missing = -x.shape[-1] % LANES
    return nn.functional.pad(x, (0, missing)) if missing else x.contiguous()


def split_bands(x: Tensor, neuron: Neuron, *, temporal: bool) -> tuple[Tensor, Tensor]:
    """One level along T, H, W, or H, W alone where not `temporal`, `neuron` between the axes.

    x [T, B, H, W, C] -> low [T', B, H/2, W/2, C] and the high bands [T', S, B, H/2, W/2, C].
    """
    k = _constants(x, neuron, temporal)
    if k is not None:
        C, split = x.shape[-1], _Split.apply if torch.is_grad_enabled() else _split
        low, high = split(_whole_vectors(x), k)
        return (low, high) if low.shape[-1] == C else (low[..., :C], high[..., :C])
    bands = dwt3(x, neuron) if temporal else dwt2(x, neuron)
    return bands[:, 0].contiguous(), bands[:, 1:]


def join_bands(low: Tensor, high: Tensor, neuron: Neuron, *, temporal: bool) -> Tensor:
    """Inverse of `split_bands`: low [T', B, H/2, W/2, C], high [T', S, B, H/2, W/2, C] -> [T, B, H, W, C]."""
    k = _constants(low, neuron, temporal)
    if k is not None:
        C, join = low.shape[-1], _Join.apply if torch.is_grad_enabled() else _join
        joined: Tensor = join(_whole_vectors(low), _whole_vectors(high), k)
        return joined if joined.shape[-1] == C else joined[..., :C]
    bands = torch.cat([low[:, None], high], 1)
    return idwt3(bands, neuron) if temporal else idwt2(bands, neuron)
