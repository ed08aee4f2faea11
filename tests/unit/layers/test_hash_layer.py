"""The spiking hash layer, eq. 18."""

import numpy as np
import pytest
import torch
from slow_oracles import array, neuron

from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.layers.hash_layer import FEATURE_GRID, SpikingHashLayer, global_average

T, B, C, K = 4, 5, 7, 16


def layer(seed=0):
    torch.manual_seed(seed)
    hashing = SpikingHashLayer(C, K)
    with torch.no_grad():
        hashing.linear.bias.fill_(1.0)
    return hashing


def features(seed=0):
    return torch.randn(T, B, C, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("training", [True, False])
def test_bits_are_the_and_of_the_spikes(training):
    hashing = layer()
    snap_to_grid(hashing, 1)
    hashing.train(training)
    f = torch.round(features() / FEATURE_GRID) * FEATURE_GRID
    out = hashing(f)
    charge = array(f) @ array(hashing.linear.weight).T + array(hashing.linear.bias)
    s, h = neuron(charge, 0.2, tau=2.0)
    for b in range(B):
        for k in range(K):
            assert bool(out.bits[b, k]) == all(s[t, b, k] == 1 for t in range(T))
        assert float(out.margin[b]) == pytest.approx(np.abs(h[:, b] - 0.2).min(), abs=1e-6)
    assert 0.1 < out.bits.mean() < 0.9
    assert np.allclose(out.rate.detach().numpy(), s.mean(0))
    assert np.allclose(out.membrane.numpy(), h.mean(0), atol=1e-6)


def test_inference_sees_features_on_the_grid():
    hashing = layer().eval()
    on = torch.round(features() / FEATURE_GRID) * FEATURE_GRID
    off = on + FEATURE_GRID * 0.4 * torch.rand(on.shape, generator=torch.Generator().manual_seed(1))
    assert torch.equal(hashing(off).membrane, hashing(on).membrane)
    hashing.train()
    assert not torch.equal(hashing(off).membrane, hashing(on).membrane)


def test_codes_are_plus_and_minus_one():
    out = layer()(features())
    assert set(out.codes.unique().tolist()) == {-1.0, 1.0}
    assert torch.equal(out.codes > 0, out.bits.bool())


def test_membrane_and_margin_carry_no_gradient():
    out = layer()(features())
    assert out.bits.requires_grad
    assert not out.membrane.requires_grad
    assert not out.margin.requires_grad


@pytest.mark.parametrize(("missing", "reached"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_bit_gets_gradient_only_if_at_most_one_step_is_missing(missing, reached):
    """The derivative of the product over time is the product of the other steps."""
    hashing = SpikingHashLayer(1, 1)
    with torch.no_grad():
        hashing.linear.weight.fill_(1.0)
        hashing.linear.bias.zero_()
    f = torch.ones(4, 1, 1)
    f[:missing] = -0.1
    f.requires_grad_(True)
    hashing(f).bits.sum().backward()
    assert (f.grad.abs().sum() > 0) == reached


def test_one_quiet_step_clears_a_bit():
    hashing = SpikingHashLayer(1, 1).eval()
    with torch.no_grad():
        hashing.linear.weight.fill_(1.0)
        hashing.linear.bias.zero_()
    f = torch.ones(4, 1, 1)
    assert hashing(f).bits.item() == 1
    for t in range(4):
        quiet = f.clone()
        quiet[t] = 0.0
        assert hashing(quiet).bits.item() == 0


def test_global_average():
    x = torch.randn(3, 2, 4, 5, 6)
    for exact in (False, True):
        y = global_average(x, exact=exact)
        expected = np.array([[[x[t, b, c].double().sum() / 30 for c in range(4)] for b in range(2)] for t in range(3)])
        assert np.allclose(y.numpy(), expected, atol=FEATURE_GRID)
    shuffled = x.flatten(3)[..., torch.randperm(30)].reshape(x.shape)
    assert torch.equal(global_average(x, exact=True), global_average(shuffled, exact=True))
