"""Neurons, convolution, norm and pool as one training step against the steps one by one."""

import numpy as np
import pytest
import torch
from torch import nn

from spikinghash.layers import taped_ops
from spikinghash.layers.fused import NeuronConstants
from spikinghash.layers.lif_kernel import ATAN, SIGMOID
from spikinghash.layers.tape import Gradients
from spikinghash.layers.taped_conv import fire_and_convolve, serves


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def layers(D, K, *, falling=False):
    torch.manual_seed(0)
    conv, norm = nn.Conv2d(D, K, 3, padding=1, bias=False), nn.BatchNorm2d(K)
    with torch.no_grad():
        norm.weight.copy_(torch.rand(K) + 0.5).mul_(-1 if falling else 1)
        norm.bias.copy_(torch.randn(K))
    return conv, norm


def one_by_one(x, k, conv, norm, pool, grads):
    spikes, entry_back = taped_ops.lif(x, k)
    y, conv_back = taped_ops.convolution(spikes, conv, grads)
    z, pool_back = taped_ops.normed_and_pooled(y, norm, pool, grads)
    return z, lambda g: entry_back(conv_back(pool_back(g)))


@pytest.mark.parametrize("surrogate", [ATAN, SIGMOID])
@pytest.mark.parametrize("pooling", [False, True])
@pytest.mark.parametrize(
    ("T", "B", "H", "W", "D", "K"),
    # clips all together; one at a time; three, then one
    [(2, 3, 4, 6, 16, 32), (4, 3, 16, 16, 32, 48), (4, 4, 8, 8, 48, 64), (1, 1, 2, 2, 16, 16)],
)
def test_it_equals_its_steps(T, B, H, W, D, K, pooling, surrogate):
    k, rng = NeuronConstants(1.75, 0.6, surrogate=surrogate), np.random.default_rng(0)
    x, pool = rng.normal(size=(T, B, H, W, D)).astype(np.float32), nn.MaxPool2d(3, 2, 1) if pooling else None
    found = []
    for step in (fire_and_convolve, one_by_one):
        (conv, norm), grads = layers(D, K, falling=pooling and surrogate == SIGMOID), Gradients()
        y, back = step(x, k, conv, norm, pool, grads)
        g = np.random.default_rng(1).normal(size=y.shape).astype(np.float32)
        gx = back(g)
        own = [grads.of(p) for p in (conv.weight, norm.weight, norm.bias)]
        found.append((y, gx, *(p.numpy() for p in own), norm.running_mean.numpy(), norm.running_var.numpy()))
    assert found[0][0].shape == found[1][0].shape
    for ours, theirs in zip(*found, strict=True):
        assert np.abs(theirs).max() > 0
        assert np.allclose(ours, theirs, rtol=1e-3, atol=1e-3 * np.abs(theirs).max())


def test_which_convolutions_it_serves():
    x = np.zeros((2, 1, 4, 4, 16), np.float32)
    conv = layers(16, 32)[0]
    assert serves(x, conv, None)
    assert serves(x, conv, nn.MaxPool2d(3, 2, 1))
    assert not serves(x, conv, nn.MaxPool2d(2))
    assert not serves(x, layers(16, 24)[0], None)
    assert not serves(x, nn.Conv2d(16, 32, 3, padding=1), None)
    assert not serves(x, nn.Conv2d(16, 32, 5, padding=2, bias=False), None)
    assert not serves(np.zeros((2, 1, 5, 4, 16), np.float32), conv, None)
