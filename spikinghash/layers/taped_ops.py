"""The steps of `tape.py` that layers are made of, on dense channel-last arrays x[T, ..., C].

Each is an autograd function of `fused.py`, `wavelet.py`, `pool.py`, `spike_conv.py` or `spike_linear.py` on arrays:
the same kernels, hence the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import (
    haar_kernel,
    norm_kernel,
    pool_kernel,
    pool_norm_kernel,
    spike_conv,
    taped_norm,
)
from spikinghash.layers import spike_linear_kernel as linear_kernel
from spikinghash.layers.fused import NeuronConstants
from spikinghash.layers.pool import is_plain_pool
from spikinghash.layers.spike_linear import is_pointwise, is_rare
from spikinghash.layers.tape import Gradients, Taped, by_autograd, undo
from spikinghash.layers.taped_norm import Charge, Half, Norm, by_channel, fired, pool_normed
from spikinghash.layers.token_kernel import token_norm_backward
from spikinghash.layers.vector_rows import LANES

Back3 = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def lif(x: np.ndarray, k: NeuronConstants) -> Taped:
    """LIF (eqs. 1-3)."""
    spikes, back = fired(Charge(x), k)
    return spikes, lambda g: back(g)[0]


def norm_lif(
    x: np.ndarray, norm: nn.BatchNorm2d, k: NeuronConstants, grads: Gradients, offset: Tensor | None = None
) -> Taped:
    """Batch norm of x plus `offset` [C], then LIF."""
    charge = Charge(x, Norm.of(x, norm, grads, offset))
    spikes, back = fired(charge, k)
    return spikes, lambda g: charge.finished(back(g))


def normed(x: np.ndarray, norm: nn.BatchNorm2d, grads: Gradients, offset: Tensor | None = None) -> Taped:
    """Batch norm of x plus `offset` [C]."""
    charge = Charge(x, Norm.of(x, norm, grads, offset))
    y, norm_back = taped_norm.normed(charge)

    def back(g: np.ndarray) -> np.ndarray:
        _, constants = norm_back(g)
        out = np.empty_like(x)
        norm_kernel.norm_backward(by_channel(g), by_channel(x), constants, by_channel(out))
        return out

    return y, back


def normed_and_pooled(x: np.ndarray, norm: nn.BatchNorm2d, layer: nn.Module | None, grads: Gradients) -> Taped:
    """Batch norm of x[T, B, H, W, C], then the max pool `layer`."""
    *_, H, W, C = x.shape
    if layer is None:
        return normed(x, norm, grads)
    if C % LANES or not is_plain_pool(layer):
        y, norm_back = normed(x, norm, grads)
        z, pool_back = pooled(y, layer)
        return z, lambda g: norm_back(pool_back(g))
    s = Norm.of(x, norm, grads)
    images, (out, raw, tap) = x.reshape(-1, H, W, C), pool_normed(x, s.affine)

    def back(g: np.ndarray) -> np.ndarray:
        gx = np.empty_like(images)
        pool_norm_kernel.norm_pool_backward(g.reshape(raw.shape), images, tap, gx, s.constants_of(g, raw))
        return gx.reshape(x.shape)

    return out, back


def linear(x: np.ndarray, weight: Tensor, grads: Gradients, *, transposed: bool) -> Taped:
    """Spikes x[..., D] @ weight[D, K], or weight[K, D] where `transposed`: sparse where spikes are rare."""
    matrix = weight.detach().flatten(1).T if transposed else weight.detach().view(weight.shape[-2:])
    rows, (D, K) = by_channel(x), matrix.shape
    rare = is_rare(rows, K)
    if rare:
        y = np.empty((len(rows), K), np.float32)
        linear_kernel.product(rows, spike_conv.with_silence(matrix.numpy()), y)
    else:
        y = (torch.from_numpy(rows) @ matrix).numpy()

    def back(g: np.ndarray) -> np.ndarray:
        gradient = torch.from_numpy(by_channel(g))
        if rare:
            gw = torch.zeros(D, K)
            linear_kernel.weight_gradient(rows, gradient.numpy(), gw.numpy())
        else:
            gw = torch.from_numpy(rows).T @ gradient
        grads.add(weight, (gw.T if transposed else gw).numpy())
        return (gradient @ matrix.T).numpy().reshape(x.shape)

    return y.reshape(*x.shape[:-1], K), back


def tokens(
    x: np.ndarray, weight: Tensor, norm: nn.BatchNorm2d, grads: Gradients
) -> tuple[Charge, Callable[[Half], np.ndarray]]:
    """x[T, S, B, H, W, C] times the token weight[S, T or 1, H, W] (eq. 10), normed; and the way back."""
    factor = weight.detach()
    p = (torch.from_numpy(x) * factor.transpose(0, 1)[:, :, None, :, :, None]).numpy()

    def back(half: Half) -> np.ndarray:
        by_p, constants = half
        by_pixel = (*x.shape[:3], -1, x.shape[-1])
        tokens, gx = factor.numpy().reshape(*factor.shape[:2], -1), np.empty_like(x)
        gw = np.zeros_like(tokens)
        arrays = by_p.reshape(by_pixel), x.reshape(by_pixel), tokens, *constants, gx.reshape(by_pixel), gw
        token_norm_backward(*arrays)
        grads.add(weight, gw)
        return gx

    return Charge(p, Norm.of(p, norm, grads)), back


def mix_tokens(
    x: np.ndarray,
    weights: Sequence[Tensor],
    norms: Sequence[nn.BatchNorm2d],
    neurons: Sequence[NeuronConstants],
    grads: Gradients,
) -> tuple[Charge, Callable[[Half], np.ndarray]]:
    """`taped_tokens.mix_tokens` for any number of channels."""
    backs: list[Any] = []
    charge = Charge(x)
    for weight, norm, k in zip(weights, norms, neurons, strict=True):
        spikes, fired_back = fired(charge, k)
        charge, token_back = tokens(spikes, weight, norm, grads)
        backs += [fired_back, token_back]

    def back(half: Half) -> np.ndarray:
        return undo(backs)(half)[0]  # type: ignore[arg-type]

    return charge, back


def attended(q_k_v: Sequence[np.ndarray], heads: int, scale: float) -> tuple[np.ndarray, Back3]:
    """q (k^T v) * scale per head and step, all [T, B, H, W, C] (eq. 14), and the way back to q, k and v."""
    shape = q_k_v[0].shape
    T, B, H, W, C = shape

    def by_head(x: np.ndarray) -> Tensor:
        return torch.from_numpy(x).reshape(T * B, H * W, heads, C // heads).transpose(1, 2)

    def joined(x: Tensor) -> np.ndarray:
        return x.transpose(1, 2).reshape(shape).numpy()

    many = [by_head(x) for x in q_k_v]
    products = many[1].transpose(-2, -1) @ many[2]

    def back(g: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        gradient = by_head(g) * scale
        inner = many[0].transpose(-2, -1) @ gradient
        gk = many[2] @ inner.transpose(-2, -1)
        return joined(gradient @ products.transpose(-2, -1)), joined(gk), joined(many[1] @ inner)

    return joined((many[0] @ products) * scale), back


def convolution(x: np.ndarray, conv: nn.Conv2d, grads: Gradients) -> Taped:
    """Spikes x[T, B, H, W, D] through a convolution, without its bias, in the quickest of three ways."""
    if is_pointwise(conv):
        return linear(x, conv.weight, grads, transposed=True)
    if spike_conv.is_plain(conv) and x.shape[-1] >= spike_conv.MIN_CHANNELS:
        return _sparse_convolution(x, conv, grads)
    by = partial(nn.functional.conv2d, stride=conv.stride, padding=conv.padding, groups=conv.groups)
    return by_autograd(
        lambda t: by(t.flatten(0, 1).movedim(-1, 1), conv.weight).movedim(1, -1).unflatten(0, x.shape[:2]),
        [conv.weight], x, grads,
    )  # fmt: skip


def _sparse_convolution(x: np.ndarray, conv: nn.Conv2d, grads: Gradients) -> Taped:
    images, weight = x.reshape(-1, *x.shape[2:]), conv.weight
    y = spike_conv.convolution(conv, biased=False)(images)

    def back(g: np.ndarray) -> np.ndarray:
        by_y = g.reshape(y.shape)
        grads.add(weight, spike_conv.weight_gradient(images, by_y, weight.shape[2]))
        gx = spike_conv.input_gradient(torch.from_numpy(images), weight.detach(), torch.from_numpy(by_y))
        return gx.contiguous().numpy().reshape(x.shape)

    return y.reshape(*x.shape[:2], *y.shape[1:]), back


def pooled(x: np.ndarray, layer: nn.Module) -> Taped:
    """Max pool of x[T, B, H, W, C]."""
    T, B, H, W, C = x.shape
    if not is_plain_pool(layer):
        by_image = lambda t: layer(t.flatten(0, 1).movedim(-1, 1)).movedim(1, -1).unflatten(0, (T, B))  # noqa: E731
        return by_autograd(by_image, [], x, Gradients())
    shape = (T * B, (H + 1) // 2, (W + 1) // 2, C)
    y, tap = np.empty(shape, np.float32), np.empty(shape, np.uint8)
    pool_kernel.max_pool(x.reshape(-1, H, W, C), y, tap)

    def back(g: np.ndarray) -> np.ndarray:
        out = np.empty_like(x)
        pool_kernel.max_pool_backward(g.reshape(shape), tap, out.reshape(-1, H, W, C))
        return out

    return y.reshape(T, B, *shape[1:]), back


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(*x.shape[:-2], -1)


def split(
    x: np.ndarray, k: NeuronConstants
) -> tuple[np.ndarray, np.ndarray, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    """`wavelet.split_bands` in three dimensions: low, high, and the way back from their gradients. C whole vectors."""
    T, B, H, W, C = x.shape
    low = np.empty((T // 2, B, H // 2, W // 2, C), np.float32)
    high = np.empty((T // 2, 7, B, H // 2, W // 2, C), np.float32)
    haar_kernel.dwt(_flat(x), _flat(low), _flat(high), C, *k.dynamics())

    def back(glow: np.ndarray, ghigh: np.ndarray) -> np.ndarray:
        out = np.empty_like(x)
        haar_kernel.dwt_backward(_flat(x), _flat(glow), _flat(ghigh), _flat(out), C, *k.gradient())
        return out

    return low, high, back


def join(
    low: np.ndarray, high: np.ndarray, k: NeuronConstants
) -> tuple[np.ndarray, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]]:
    """`wavelet.join_bands` in three dimensions, and the way back to the gradients of low and high."""
    T, B, H, W, C = low.shape
    x = np.empty((2 * T, B, 2 * H, 2 * W, C), np.float32)
    haar_kernel.idwt(_flat(low), _flat(high), _flat(x), C, *k.dynamics())

    def back(g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        glow, ghigh = np.empty_like(low), np.empty_like(high)
        arrays = _flat(low), _flat(high), _flat(g), _flat(glow), _flat(ghigh)
        haar_kernel.idwt_backward(*arrays, C, *k.gradient())
        return glow, ghigh

    return x, back
