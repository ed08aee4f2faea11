"""Convolution of images that are mostly silent, and the moments of its result."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from spikinghash.kernels import norm, winograd
from spikinghash.kernels import spike_conv as kernel
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.winograd import G
from spikinghash.ops.moments import moments_reference
from spikinghash.ops.operator import array, by_channel, dense, gradient, operator, saving

#: Below so many channels, and for counts, the library is faster: listing the spikes costs too much there.
_MIN_CHANNELS = 16
#: G w G^T of the nine weights w as one matrix [16, 9], with w turned by 180 degrees.
_TURNED = np.kron(G, G)[:, ::-1].copy()


def padded(values: np.ndarray) -> np.ndarray:
    """The last axis zero-padded to a multiple of the SIMD width, rows aligned to cache lines."""
    wide = values.shape[-1] + -values.shape[-1] % LANES
    # torch aligns its memory to cache lines, numpy does not
    out: np.ndarray = torch.zeros(*values.shape[:-1], wide, dtype=torch.float32).numpy()
    out[..., : values.shape[-1]] = values
    return out


def with_zero_row(rows: np.ndarray) -> np.ndarray:
    """[..., D, K] with one more row of zeros, what an input adds that did not fire."""
    *before, D, K = rows.shape
    out: np.ndarray = torch.zeros(*before, D + 1, K, dtype=torch.float32).numpy()
    out[..., :D, :] = rows
    return out


def weight_rows(weight: Tensor) -> np.ndarray:
    """[K, D, k, k] -> [k * k * D + 1, K padded], the last row zero."""
    rows: np.ndarray = weight.detach().numpy().transpose(2, 3, 1, 0).reshape(-1, weight.shape[0])
    return padded(with_zero_row(rows))


def weight_chunks(weight: Tensor) -> np.ndarray:
    """[K, D, k, k] -> [chunks, k * k * D + 1, P], `weight_rows` in chunks of P outputs, up to four vectors."""
    rows = weight_rows(weight)
    P = next(n * LANES for n in (4, 3, 2, 1) if rows.shape[1] % (n * LANES) == 0)
    # torch aligns its memory to cache lines, numpy does not
    found: np.ndarray = torch.from_numpy(rows).view(len(rows), -1, P).transpose(0, 1).contiguous().numpy()
    return found


def is_sparse(x: np.ndarray) -> bool:
    """Whether x[..., D] is spikes of enough channels for the sparse kernels."""
    return x.shape[-1] >= _MIN_CHANNELS and bool(kernel.is_binary(x.reshape(-1)))


def _images(x: Tensor) -> Tensor:
    """[..., H, W, C] -> [N, C, H, W] in channels-last memory."""
    return x.flatten(0, -4).movedim(-1, 1)


def _cpu(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    K, _, k, _ = weight.shape
    values = array(x).reshape(-1, *x.shape[-3:])
    if is_sparse(values):
        out = dense(x, *x.shape[:-1], K)
        none, one = np.zeros(K, np.float32), np.ones(K, np.float32)
        images = out.numpy().reshape(*values.shape[:3], K)
        kernel.convolve(values, weight_chunks(weight), k, padded(none), one, none, images)
    else:
        found = F.conv2d(_images(x.detach().contiguous()), weight.detach(), padding=k // 2)
        out = found.movedim(1, -1).contiguous().view(*x.shape[:-1], K)
    return out, torch.from_numpy(norm.moments(by_channel(out.numpy())))


def _fake(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    K = len(weight)
    return dense(x, *x.shape[:-1], K), x.new_empty((2, K), dtype=torch.float64)


def _backward(ctx: Any, g: Tensor, g_moments: Tensor) -> tuple[Tensor | None, Tensor]:
    # after the key set, which comes first
    wanted = ctx.needs_input_grad[1]
    gx, gw = gradient(conv_backward, g.contiguous(), g_moments, *ctx.saved_tensors, wanted)
    return gx if wanted else None, gw


def _backward_cpu(
    g: Tensor, g_moments: Tensor, x: Tensor, weight: Tensor, y: Tensor, found: Tensor, of_x: bool
) -> tuple[Tensor, Tensor]:
    K, _, k, _ = weight.shape
    line = norm.moments_backward(array(g_moments), array(found), y.numel() // K)
    values = array(x).reshape(-1, *x.shape[-3:])
    given, result = (array(t).reshape(-1, *y.shape[-3:]) for t in (g, y))
    gx = dense(x) if of_x else dense(x, 0)
    sparse = is_sparse(values)
    by_winograd = of_x and _divides(x, weight)
    if by_winograd:
        winograd.convolve(given, result, line, _transformed(weight), gx.numpy().reshape(values.shape))
    if sparse:
        gw = _weight_gradient(values, given, result, line, k)
    if not sparse or (of_x and not by_winograd):
        gy = dense(y)
        norm.add_line(by_channel(given), by_channel(result), line, by_channel(gy.numpy()))
        which, half = [of_x and not by_winograd, not sparse, False], [k // 2] * 2
        images = _images(gy), _images(x.detach().contiguous()), weight.detach()
        of = torch.ops.aten.convolution_backward
        by_x, by_w, _ = of(*images, None, [1, 1], half, [1, 1], False, [0, 0], 1, which)
        gx = by_x.movedim(1, -1).contiguous().view(x.shape) if which[0] else gx
        gw = gw if sparse else by_w.contiguous()
    return gx, gw


def _divides(x: Tensor, weight: Tensor) -> bool:
    """Whether Winograd's tiles divide images [..., H, W, D]."""
    *_, H, W, D = x.shape
    K, _, k, _ = weight.shape
    return H % 2 == W % 2 == K % LANES == D % LANES == 0 and k == 3


def _transformed(weight: Tensor) -> np.ndarray:
    """[K, D, 3, 3] turned by 180 degrees -> [16, K, D], what the Winograd kernel takes."""
    K, D, _, _ = weight.shape
    u: np.ndarray = (torch.from_numpy(_TURNED) @ weight.detach().reshape(K * D, 9).T).numpy()
    return u.reshape(16, K, D)


def _weight_gradient(x: np.ndarray, g: np.ndarray, y: np.ndarray, line: np.ndarray, k: int) -> Tensor:
    """[K, D, k, k] from spikes x[N, H, W, D] and the gradient of the result, g + (line[0] * y + line[1])."""
    D, K = x.shape[-1], g.shape[-1]
    rows = torch.zeros(k * k * D, K + -K % LANES, dtype=torch.float32)
    kernel.weight_gradient(x, g, y, line, k, rows.numpy())
    return rows[:, :K].reshape(k, k, D, K).permute(3, 2, 0, 1).contiguous()


conv_backward = operator(
    "conv_backward",
    "(Tensor g, Tensor g_moments, Tensor x, Tensor weight, Tensor y, Tensor moments, bool of_x) -> (Tensor, Tensor)",
    cpu=_backward_cpu,
    fake=lambda g, g_moments, x, weight, y, found, of_x: (dense(x) if of_x else dense(x, 0), dense(weight)),
)  # fmt: skip
#: conv(x [..., H, W, D], weight [K, D, k, k], k odd) -> [..., H, W, K], stride 1, padding k // 2, and its moments.
conv = operator(
    "conv", "(Tensor x, Tensor weight) -> (Tensor, Tensor)", cpu=_cpu, fake=_fake, setup=saving(2, outputs=True),
    backward=_backward,
)  # fmt: skip


def conv_reference(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """`conv` in plain torch."""
    images = F.conv2d(x.flatten(0, -4).movedim(-1, 1), weight, padding=weight.shape[2] // 2)
    y = images.movedim(1, -1).reshape(*x.shape[:-1], len(weight))
    return y, moments_reference(y)
