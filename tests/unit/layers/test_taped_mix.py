"""Steps of training that do several layers in one pass: equal to the layers one by one, for every size of a block."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from spikinghash.layers import taped_ops
from spikinghash.layers.fused import NeuronConstants
from spikinghash.layers.lif_kernel import ATAN, SIGMOID
from spikinghash.layers.product_kernel import product, rows_unit
from spikinghash.layers.tape import Gradients
from spikinghash.layers.taped_mix import Mixing, attend, mix, mixes
from spikinghash.layers.taped_norm import Charge, Norm, fired, normed
from spikinghash.layers.taped_tokens import mix_tokens


def norm_of(channels):
    norm = nn.BatchNorm2d(channels)
    with torch.no_grad():
        norm.weight.uniform_(0.5, 1.5)
        norm.bias.uniform_(0.0, 1.0)
    return norm


def values(*shape):
    return torch.randn(shape).numpy()


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    torch.set_num_threads(1)


def mixed_slowly(charge, k, weight, norm, grads):
    """The same by the steps of `taped_ops`."""
    spikes, fired_back = fired(charge, k)
    y, linear_back = taped_ops.linear(spikes, weight, grads, transposed=False)
    after = Charge(y, Norm.of(y, norm, grads))
    return after, lambda half: fired_back(linear_back(after.finished(half)))


@pytest.mark.parametrize("normed_before", [False, True])
@pytest.mark.parametrize("surrogate", [ATAN, SIGMOID])
@pytest.mark.parametrize(("T", "pixels", "D", "K"), [(4, 7, 16, 32), (3, 33, 32, 16), (1, 50, 48, 96), (5, 25, 80, 64)])
def test_mix_equals_neurons_product_and_norm(T, pixels, D, K, surrogate, normed_before):
    k = NeuronConstants(1.75, 0.6, surrogate=surrogate)
    x, g, weight, before = values(T, pixels, D), values(T, pixels, K), nn.Parameter(torch.randn(1, D, K)), norm_of(D)
    found = []
    for way in ("as it is", "transposed", "slowly"):
        norm = norm_of(K) if not found else found[0].norm
        grads = Gradients()
        charge = Charge(x, Norm.of(x, before, grads) if normed_before else None)
        if way != "slowly":
            matrix, turned = weight.detach()[0].numpy(), way == "transposed"
            matrix = np.ascontiguousarray(matrix.T) if turned else matrix
            how = Mixing(matrix, turned, [(norm, None)], lambda gw, grads=grads: grads.add(weight, gw))
            after, back = mix(charge, k, how, grads)
        else:
            after, back = mixed_slowly(charge, k, weight, norm, grads)
        y, norm_back = normed(after)
        gx = charge.finished(back(norm_back(g)))
        own = [grads.of(p) for p in (weight, norm.weight, norm.bias)]
        found.append(SimpleNamespace(norm=norm, y=y, gx=gx, own=own))
    quick, turned, slow = found
    assert np.abs(slow.gx).max() > 0
    assert np.array_equal(quick.y, turned.y)
    assert np.array_equal(quick.gx, turned.gx)
    assert np.allclose(quick.y, slow.y, atol=1e-4)
    assert np.allclose(quick.gx, slow.gx, atol=1e-4)
    for ours, theirs in zip(quick.own, slow.own, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_which_matrices_are_mixed():
    assert mixes(32, 64)
    assert not mixes(24, 64)
    assert not mixes(64, 24)
    assert not mixes(1024, 1024)


@pytest.mark.parametrize("surrogate", [ATAN, SIGMOID])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("T", "S", "B", "H", "C"), [(2, 7, 3, 4, 32), (1, 3, 2, 3, 16), (3, 2, 1, 1, 48)])
def test_token_mixer_equals_its_steps(T, S, B, H, C, shared, surrogate):
    k = NeuronConstants(1.75, 0.4, surrogate=surrogate)
    x, g = values(T, S, B, H, H, C), values(T, S, B, H, H, C)
    weights = [nn.Parameter(torch.randn(S, 1 if shared else T, H, H)) for _ in range(2)]
    norms, found = [norm_of(C) for _ in range(2)], []
    for step in (mix_tokens, taped_ops.mix_tokens):
        grads = Gradients()
        charge, back = step(x, weights, norms, [k, k], grads)
        y, norm_back = normed(charge)
        own = [*weights, *(p for n in norms for p in n.parameters())]
        gx = back(norm_back(g))
        found.append((y, gx, [grads.of(p) for p in own]))
    (y, gx, own), (their_y, their_gx, theirs) = found
    assert np.abs(their_gx).max() > 0
    assert np.allclose(y, their_y, atol=1e-4)
    assert np.allclose(gx, their_gx, atol=1e-4)
    for ours, other in zip(own, theirs, strict=True):
        assert torch.allclose(ours, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("C", "H", "W", "heads"), [(16, 2, 3, 4), (96, 2, 2, 8), (64, 4, 4, 8), (32, 1, 5, 1)])
def test_attention_by_rows_equals_the_dense_products(C, H, W, heads):
    spikes = (torch.rand(2, 3, H, W, 3 * C) < 0.3).float().numpy()
    g = values(2, 3, H, W, C)
    y, back = attend(spikes, heads, 0.125)
    dense, dense_back = taped_ops.attended(np.split(spikes, 3, -1), heads, 0.125)
    assert y.any()
    assert np.array_equal(y, dense)
    assert np.allclose(back(g), np.concatenate(dense_back(g), -1), atol=1e-5)


@pytest.mark.parametrize("D", [16, 32, 48, 64, 80, 96, 112, 144])
def test_product_of_small_matrices(D):
    rows = 2 * rows_unit(D)
    a, b, out = values(rows, 37), values(37, D), np.full((rows, D), np.nan, np.float32)
    product(a, b, out, rows)
    assert np.allclose(out, a @ b, atol=1e-4)
