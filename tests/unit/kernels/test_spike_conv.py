"""The sparse kernels against slow loops and the library."""

import numpy as np
import pytest
import torch
from numba import njit
from torch import nn

from spikinghash.kernels import spike_conv
from spikinghash.kernels.gather_sum import add_rows
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.spike_conv import append_active, is_binary
from spikinghash.ops.conv import is_sparse, padded, weight_chunks


def convolve(x, weight, bias, scale=None, shift=None):
    K, _, k, _ = weight.shape
    scale = np.ones(K, np.float32) if scale is None else scale
    shift = np.zeros(K, np.float32) if shift is None else shift
    out = torch.empty(*x.shape[:3], K)
    start = np.zeros(K, np.float32) if bias is None else bias.detach().numpy()
    spike_conv.convolve(x.numpy(), weight_chunks(weight), k, padded(start), scale, shift, out.numpy())
    return out


def spikes(*shape, rate=0.3, seed=0):
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < rate).float()


def on_a_grid(conv):
    """Weights whose sums are exact in any order."""
    with torch.no_grad():
        for p in conv.parameters():
            p.copy_(torch.round(p * 256) / 256)
    return conv


def loop(x, conv):
    """Each output as a plain sum over the kernel's window."""
    N, H, W, _ = x.shape
    weight, k = conv.weight.detach().double().numpy(), conv.kernel_size[0]
    padded = np.pad(x.double().numpy(), [(0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)])
    out = np.zeros((N, H, W, len(weight)))
    for y in range(H):
        for c in range(W):
            window = padded[:, y : y + k, c : c + k]
            out[:, y, c] = np.einsum("nyxi,oiyx->no", window, weight)
    return out if conv.bias is None else out + conv.bias.detach().double().numpy()


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
@pytest.mark.parametrize(
    ("D", "K", "k", "H", "W"), [(16, 16, 3, 5, 4), (20, 40, 3, 3, 6), (32, 130, 5, 4, 4), (17, 3, 1, 1, 1)]
)
def test_convolution_against_a_loop(rate, D, K, k, H, W):
    torch.manual_seed(0)
    conv = on_a_grid(nn.Conv2d(D, K, k, padding=k // 2))
    x = spikes(3, H, W, D, rate=rate)
    assert np.array_equal(convolve(x, conv.weight, conv.bias).numpy(), loop(x, conv))


def test_the_affine_step_is_a_product_and_a_sum():
    for outputs in (24, 32):
        conv = on_a_grid(nn.Conv2d(16, outputs, 3, padding=1))
        x = spikes(2, 4, 5, 16)
        scale, shift = torch.randn(outputs), torch.randn(outputs)
        plain = convolve(x, conv.weight, conv.bias)
        scaled = convolve(x, conv.weight, conv.bias, scale.numpy(), shift.numpy())
        assert np.array_equal(scaled.numpy(), (plain * scale + shift).detach().numpy())


def test_a_pixel_does_not_depend_on_batch_or_threads():
    """Weights off any grid: the order of addition itself is fixed."""
    torch.manual_seed(2)
    conv = nn.Conv2d(32, 48, 3, padding=1)
    x = spikes(40, 8, 8, 32)
    whole = convolve(x, conv.weight, conv.bias)
    assert torch.equal(convolve(x[7:8], conv.weight, conv.bias), whole[7:8])
    torch.set_num_threads(2)
    assert torch.equal(convolve(x, conv.weight, conv.bias), whole)


def test_only_spikes_of_enough_channels_are_sparse():
    x = spikes(1, 4, 4, 32).numpy()
    assert is_sparse(x)
    assert not is_sparse(x * 2)
    assert not is_sparse(x[..., :8].copy())


@pytest.mark.parametrize("where", [0, 5000, 9999])
def test_one_other_value_is_seen(where):
    x = spikes(10_000).numpy()
    assert is_binary(x)
    for other in (0.5, -1.0, 2.0, np.nan, np.inf):
        x[where] = other
        assert not is_binary(x)


def test_positions_and_sums_of_rows():
    rng = np.random.default_rng(0)
    x = (rng.random(101) < 0.3).astype(np.float32)
    at = np.zeros(101 + LANES, np.int32)
    w = rng.integers(-9, 9, (60, 112)).astype(np.float32)
    total = np.ones(112, np.float32)
    w[59] = 0
    rows = rng.integers(5, 60, 14).astype(np.int32)
    places = rows * 112
    _add(total, w, places, 2, 13, -5 * 112)
    assert np.array_equal(total, 1 + w[rows[2:13] - 5].sum(0))
    _add(total, w, places, 2, 12, -5 * 112)
    assert np.array_equal(total, 1 + w[rows[2:13] - 5].sum(0) + w[rows[2:12] - 5].sum(0))
    assert _list(x, at, 3, 98) == x[3:98].sum()
    assert np.array_equal(at[: int(x[3:98].sum())], 7 + 3 * np.flatnonzero(x[3:98]))


@njit
def _add(total, w, at, lo, hi, base):
    add_rows(total, 0, 112, w, at, lo, hi, base, 59 * 112)


@njit
def _list(x, at, lo, hi):
    return append_active(x, lo, hi, at, 0, 7, 3)
