"""Convolution of spikes: sparse kernels where they are faster than the library, on CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.layers import spike_conv_kernel as kernel
from spikinghash.layers import winograd_kernel
from spikinghash.layers.fused import NONE, runs_fused, threaded
from spikinghash.layers.vector_rows import LANES

#: 1 x 1 convolutions and those of few channels are faster in the library: listing the spikes costs too much there.
_MIN_KERNEL, MIN_CHANNELS = 3, 16


def is_plain(conv: nn.Conv2d) -> bool:
    """Whether the sparse kernels can take the place of `conv` for spikes: nothing but k x k, and nobody watches it."""
    k = conv.kernel_size[0]
    return (
        k >= _MIN_KERNEL
        and (conv.kernel_size, conv.padding) == ((k, k), (k // 2, k // 2))
        and (conv.stride, conv.dilation, conv.groups) == ((1, 1), (1, 1), 1)
        and not (conv._forward_hooks or conv._forward_pre_hooks)
    )


def pays(conv: nn.Conv2d, x: Tensor) -> bool:
    """Whether x [N, H, W, D] dense goes through the sparse kernels: spikes, of enough channels."""
    return (
        is_plain(conv)
        and runs_fused(x)
        and conv.in_channels >= MIN_CHANNELS
        and kernel.count_spikes(x.detach().numpy().reshape(-1)) >= 0
    )


def padded(values: np.ndarray) -> np.ndarray:
    """The last axis filled up with zeros to whole vectors, each in one cache line: half of the loads otherwise."""
    wide = values.shape[-1] + -values.shape[-1] % LANES
    # torch aligns its memory to cache lines, numpy does not
    out: np.ndarray = torch.zeros(*values.shape[:-1], wide).numpy()
    out[..., : values.shape[-1]] = values
    return out


def weight_rows(weight: Tensor) -> np.ndarray:
    """[K, D, k, k] -> [k * k * D + 1, K padded], the last row zero."""
    rows: np.ndarray = weight.detach().numpy().transpose(2, 3, 1, 0).reshape(-1, weight.shape[0])
    return padded(with_silence(rows))


def with_silence(rows: np.ndarray) -> np.ndarray:
    """[..., D, K] with one more row of zeros, what an input adds that did not fire."""
    *before, D, K = rows.shape
    # dense whatever the order of `rows`: the kernels read whole vectors; the library's memory begins at a cache line
    out: np.ndarray = torch.zeros(*before, D + 1, K).numpy()
    out[..., :D, :] = rows
    return out


def bias_of(conv: nn.Conv2d) -> np.ndarray:
    """The bias, zeros where there is none."""
    return np.zeros(len(conv.weight), np.float32) if conv.bias is None else conv.bias.detach().numpy()


def _kernel(values: int) -> Any:
    return kernel.convolve_threads if threaded(values) else kernel.convolve


def convolution(
    conv: nn.Conv2d, affine: tuple[np.ndarray, np.ndarray] = (NONE, NONE), *, biased: bool = True
) -> Callable[[np.ndarray], np.ndarray]:
    """Spikes [N, H, W, D] -> [N, H, W, K]: `conv` as it is now, then times scale [K] plus shift [K]; no gradient."""
    K, _, k, _ = conv.weight.shape
    bias = bias_of(conv) if biased else np.zeros(K, np.float32)
    constants = weight_rows(conv.weight), k, padded(bias), *affine

    def run(x: np.ndarray) -> np.ndarray:
        out = np.empty((*x.shape[:3], K), np.float32)
        _kernel(x.size)(x, *constants, out)
        return out

    return run


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Spikes x [N, H, W, D], weight [K, D, k, k], bias [K] -> [N, H, W, K]; no gradient."""
    out = x.new_empty(*x.shape[:3], weight.shape[0])
    start = np.zeros(weight.shape[0], np.float32) if bias is None else bias.detach().numpy()
    _kernel(x.numel())(x.detach().numpy(), weight_rows(weight), weight.shape[2], padded(start), NONE, NONE, out.numpy())
    return out


class SpikeConv(torch.autograd.Function):
    """Convolution of spikes. x [N, H, W, D] dense, weight [K, D, k, k], bias [K] or None -> [N, H, W, K].

    The weight gradient is sparse like the forward pass; the input gradient is dense and the library's.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.biased = bias is not None
        return convolve(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        grad = grad.contiguous()
        of_x, of_weight = ctx.needs_input_grad[:2]
        gx = input_gradient(x, weight, grad) if of_x else None
        gw = None
        if of_weight:
            gw = torch.from_numpy(weight_gradient(x.detach().numpy(), grad.numpy(), weight.shape[2]))
        return gx, gw, grad.sum((0, 1, 2)) if ctx.biased else None


def input_gradient(x: Tensor, weight: Tensor, grad: Tensor) -> Tensor:
    """Of x [N, H, W, D] from that of the result, grad [N, H, W, K], with weight [K, D, k, k]."""
    if divides(x.shape, weight):
        out = torch.empty_like(x)
        winograd_kernel.convolve(grad.numpy(), transformed(weight), out.numpy())
        return out
    images = grad.movedim(-1, 1), x.movedim(-1, 1)
    half, one, none = [weight.shape[2] // 2] * 2, [1, 1], [0, 0]
    mask = [True, False, False]
    found = torch.ops.aten.convolution_backward(*images, weight, None, one, half, one, False, none, 1, mask)
    gx: Tensor = found[0].movedim(1, -1)
    return gx


def divides(shape: Sequence[int], weight: Tensor) -> bool:
    """Whether Winograd's tiles divide images [..., H, W, D], on the one thread of their kernel."""
    *_, H, W, D = shape
    K, _, k, _ = weight.shape
    whole = H % 2 == W % 2 == K % LANES == D % LANES == 0
    return whole and k == 3 and torch.get_num_threads() == 1


#: G of Winograd's F(2 x 2, 3 x 3) (Lavin and Gray, 2016, section 4.1).
_G = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]], np.float32)
#: G w G^T of the nine weights w as one matrix [16, 9], with w turned by 180 degrees.
_TURNED = np.kron(_G, _G)[:, ::-1].copy()


def transformed(weight: Tensor) -> np.ndarray:
    """[K, D, 3, 3] turned by 180 degrees -> [16, K, D], what `winograd_kernel.convolve` takes."""
    K, D, _, _ = weight.shape
    u: np.ndarray = (torch.from_numpy(_TURNED) @ weight.reshape(K * D, 9).T).numpy()
    return u.reshape(16, K, D)


def weight_gradient(x: np.ndarray, grad: np.ndarray, k: int) -> np.ndarray:
    """[K, D, k, k] from spikes x [N, H, W, D] and the gradient of the result, grad [N, H, W, K]; both dense."""
    D, K = x.shape[-1], grad.shape[-1]
    rows = torch.zeros(k * k * D, K + -K % LANES).numpy()
    kernel.weight_gradient(x, grad, k, rows)
    found: np.ndarray = rows[:, :K].reshape(k, k, D, K).transpose(3, 2, 0, 1).copy()
    return found
