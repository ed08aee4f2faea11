"""The sparse kernels against slow loops and the library."""

import numpy as np
import pytest
import torch
from numba import njit
from torch import nn

from spikinghash.layers.conv import ConvNorm
from spikinghash.layers.fused import affine_constants
from spikinghash.layers.rows_kernel import add_rows, sum_rows
from spikinghash.layers.spike_conv import SpikeConv, convolution, convolve, pays
from spikinghash.layers.spike_conv_kernel import append_active, count_spikes
from spikinghash.kernels.simd.rows import LANES


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
        scaled = convolution(conv, (scale.numpy(), shift.numpy()))(x.numpy())
        assert np.array_equal(scaled, (plain * scale + shift).detach().numpy())


@pytest.mark.parametrize(("D", "K", "bias"), [(16, 32, False), (20, 24, True), (48, 64, True)])
def test_gradients_are_the_library_s(D, K, bias):
    torch.manual_seed(1)
    conv = nn.Conv2d(D, K, 3, padding=1, bias=bias)
    ours, theirs = (spikes(5, 4, 6, D).requires_grad_(True) for _ in range(2))
    grad = torch.randn(5, 4, 6, K)
    y = SpikeConv.apply(ours, conv.weight, conv.bias)
    y.backward(grad)
    kept = [p.grad.clone() for p in conv.parameters()]
    conv.zero_grad()
    z = conv(theirs.movedim(-1, 1)).movedim(1, -1)
    z.backward(grad)
    assert torch.allclose(y, z, atol=1e-5)
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-5)
    assert all(torch.allclose(a, p.grad, rtol=1e-5, atol=1e-4) for a, p in zip(kept, conv.parameters(), strict=True))


def test_a_pixel_does_not_depend_on_batch_or_threads():
    """Weights off any grid: the order of addition itself is fixed."""
    torch.manual_seed(2)
    conv = nn.Conv2d(32, 48, 3, padding=1)
    x = spikes(40, 8, 8, 32)
    whole = convolve(x, conv.weight, conv.bias)
    assert torch.equal(convolve(x[7:8], conv.weight, conv.bias), whole[7:8])
    torch.set_num_threads(2)
    assert torch.equal(convolve(x, conv.weight, conv.bias), whole)


def test_only_spikes_take_this_way():
    conv = nn.Conv2d(32, 8, 3, padding=1)
    x = spikes(1, 4, 4, 32)
    assert pays(conv, x)
    assert not pays(conv, x * 2)
    assert not pays(conv, x.double())
    assert not pays(nn.Conv2d(32, 8, 3, padding=1, stride=2), x)
    assert not pays(nn.Conv2d(32, 8, 1), x)
    handle = conv.register_forward_hook(lambda *_: None)
    assert not pays(conv, x)
    handle.remove()


@pytest.mark.parametrize("where", [0, 5000, 9999])
def test_one_other_value_is_seen(where):
    x = spikes(10_000).numpy()
    assert count_spikes(x) == x.sum()
    for other in (0.5, -1.0, 2.0, np.nan, np.inf):
        x[where] = other
        assert count_spikes(x) == -1


@pytest.mark.parametrize("training", [True, False])
def test_conv_norm_takes_either_way_with_the_same_result(training):
    torch.manual_seed(3)
    layer = ConvNorm(32, 24, 3)
    on_a_grid(layer.conv)
    layer.norm.running_mean.normal_()
    layer.train(training)
    x = spikes(4, 2, 32, 5, 6)
    with torch.no_grad():
        sparse = layer(x)
        layer.conv.register_forward_hook(lambda *_: None)
        dense = layer(x)
    assert torch.equal(sparse, dense)
    assert sparse[0].is_contiguous(memory_format=torch.channels_last)


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
    _sum(total, w, places, 2, 12, -5 * 112)
    assert np.array_equal(total, w[rows[2:12] - 5].sum(0))
    assert _list(x, at, 3, 98) == x[3:98].sum()
    assert np.array_equal(at[: int(x[3:98].sum())], 7 + 3 * np.flatnonzero(x[3:98]))


@njit
def _add(total, w, at, lo, hi, base):
    add_rows(total, 0, 112, w, at, lo, hi, base, 59 * 112)


@njit
def _sum(total, w, at, lo, hi, base):
    sum_rows(total, 0, 112, w, at, lo, hi, base, 59 * 112)


@njit
def _list(x, at, lo, hi):
    return append_active(x, lo, hi, at, 0, 7, 3)


def test_the_inference_constants_are_those_of_the_norm():
    layer = ConvNorm(4, 6, 3).eval()
    layer.norm.running_var.uniform_(0.5, 2.0)
    scale, shift = affine_constants(layer.norm)
    x = torch.randn(2, 6, 3, 3)
    ours = x * torch.from_numpy(scale)[:, None, None] + torch.from_numpy(shift)[:, None, None]
    assert torch.allclose(ours, nn.functional.batch_norm(x, layer.norm.running_mean, layer.norm.running_var), atol=1e-5)
