"""Convolutions of spikes in integers against the sparse kernel and a plain sum, bit for bit."""

import numpy as np
import pytest
import torch
from slow_oracles import wake

from spikinghash.inference import plan  # noqa: F401  it registers the lowerings
from spikinghash.inference.integer_weights import integer_weights
from spikinghash.inference.lowering import lower_known
from spikinghash.kernels import spike_conv
from spikinghash.kernels.infer import integer_winograd
from spikinghash.layers.block import Downsample
from spikinghash.ops.conv import padded, weight_chunks


def spikes(*shape, rate):
    return (np.random.default_rng(1).random(shape) < rate).astype(np.float32)


def weights(K, D, largest, step, seed=0):
    """Multiples of `step` up to `largest` of them."""
    rng = np.random.default_rng(seed)
    return (rng.integers(-largest, largest + 1, (K, D, 3, 3)) * step).astype(np.float32)


def plain_sum(x, weight, bias):
    """In float64, tap by tap."""
    N, H, W, _ = x.shape
    around = np.pad(x.astype(np.float64), [(0, 0), (1, 1), (1, 1), (0, 0)])
    out = np.zeros((N, H, W, len(weight))) + bias.astype(np.float64)
    for dy in range(3):
        for dx in range(3):
            out += around[:, dy : dy + H, dx : dx + W] @ weight[:, :, dy, dx].T.astype(np.float64)
    return out


def through_integers(x, found, bias, scale, shift):
    out = np.full((*x.shape[:3], len(bias)), np.nan, np.float32)
    integer_winograd.convolve(x, found.rows, found.matrices, found.unit, bias, scale, shift, out)
    return out


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("largest", "step", "matrices"), [(100, 2.0**-9, 16), (14000, 2.0**-16, 28), (32767, 2.0**-3, 28)]
)
@pytest.mark.parametrize(
    ("N", "H", "W", "D", "K"), [(3, 4, 4, 16, 16), (1, 5, 7, 32, 48), (60, 1, 1, 16, 80), (2, 3, 101, 16, 16)]
)
def test_equals_a_plain_sum_and_the_sparse_kernel(N, H, W, D, K, largest, step, matrices, rate):
    x, weight = spikes(N, H, W, D, rate=rate), weights(K, D, largest, step)
    rng = np.random.default_rng(2)
    bias = (rng.integers(-500, 500, K) * step).astype(np.float32)
    scale, shift = rng.normal(size=(2, K)).astype(np.float32)
    found = integer_weights(weight, bias)
    assert found.matrices.sum() == matrices
    made = through_integers(x, found, bias, scale, shift)
    sums = plain_sum(x, weight, bias)
    assert np.array_equal(sums, sums.astype(np.float32))
    assert np.array_equal(made, sums.astype(np.float32) * scale + shift)
    sparse = np.empty_like(made)
    spike_conv.convolve(x, weight_chunks(torch.from_numpy(weight)), 3, padded(bias), scale, shift, sparse)
    assert np.array_equal(made, sparse)


def test_takes_no_weights_whose_sums_may_be_rounded():
    none, weight = np.zeros(16, np.float32), weights(16, 32, 1000, 2.0**-12)
    assert integer_weights(weight, none)
    # a sum as large as 2^24 steps is still exact
    full = np.zeros_like(weight)
    full[0, 0, 0, :2] = 1.0, 2.0**24 - 1
    assert integer_weights(full, none)
    assert not integer_weights(full, np.ones(16, np.float32))
    assert not integer_weights(weight + np.float32(np.pi), none)
    assert not integer_weights(weight * np.float32(2.0**20) + weight[::-1], none)
    assert not integer_weights(weight, none + np.float32(0.1))


@pytest.mark.parametrize("shape", [(16, 24, 3, 3), (20, 16, 3, 3), (16, 16, 5, 5), (16, 16, 1, 3)])
def test_takes_no_shapes_that_the_kernel_does_not(shape):
    assert integer_weights(np.ones(shape, np.float32), np.zeros(shape[0], np.float32)) is None


@pytest.mark.parametrize("offset", [-1.5, 3.0], ids=["few spikes", "many spikes"])
@pytest.mark.parametrize("pool", [True, False])
@torch.no_grad()
def test_a_downsampling_of_few_and_of_many_spikes(pool, offset):
    """More images than are taken at a time, on either side of the firing rate where the kernel changes."""
    x = torch.randn(2, 9, 16, 32, 34, generator=torch.Generator().manual_seed(0)) + offset
    layer = wake(Downsample(16, 64, pool=pool, surrogate="sigmoid"), 1, x)
    weight = layer.conv.conv.weight
    weight.copy_(torch.round(weight * 256) / 256)
    layer.eval()
    assert integer_weights(weight.numpy(), np.zeros(64, np.float32)).break_even == pytest.approx(0.2)
    assert (layer.entry(x).mean() > 0.2) == (offset > 0)
    found = lower_known(layer)(x.movedim(2, -1).contiguous().numpy())
    assert torch.equal(torch.from_numpy(found).movedim(-1, 2), layer(x))
