"""Sparse products of spikes and 1 x 1 convolutions under a norm against the library's own layers."""

import pytest
import torch
from slow_oracles import wake
from torch import nn

from spikinghash.layers.conv import ConvNorm, ConvNormLIF
from spikinghash.layers.spike_linear import spike_linear


def leaf(x):
    return x.detach().clone().requires_grad_(True)


def sample(*shape, rate, seed=0):
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < rate).float()


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.5, 1.0])
@pytest.mark.parametrize(("N", "D", "K"), [(1, 1, 16), (300, 32, 64), (129, 20, 48), (40, 192, 96), (200, 16, 5)])
def test_product_and_gradients(N, D, K, rate):
    torch.manual_seed(1)
    w1, w2 = (torch.nn.Parameter(torch.randn(D, K, generator=torch.Generator().manual_seed(2))) for _ in range(2))
    x1, x2 = leaf(sample(N, D, rate=rate)), leaf(sample(N, D, rate=rate))
    ours, theirs = spike_linear(x1, w1), x2 @ w2
    assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    grad = torch.randn(N, K)
    ours.backward(grad)
    theirs.backward(grad)
    assert torch.allclose(x1.grad, x2.grad, rtol=1e-5, atol=1e-5)
    assert torch.allclose(w1.grad, w2.grad, rtol=1e-5, atol=1e-4)


def test_values_that_are_no_spikes_are_multiplied():
    x, w = sample(300, 32, rate=0.05) * 0.5, torch.randn(32, 16)
    assert torch.allclose(spike_linear(x, w), x @ w, atol=1e-5)


def test_a_weight_that_is_a_transposed_view():
    x, w = sample(2, 3, 5, 24, rate=0.1), torch.nn.Parameter(torch.randn(32, 24))
    y = spike_linear(x, w.T)
    y.sum().backward()
    assert torch.allclose(y, x @ w.T, atol=1e-5)
    assert torch.allclose(w.grad, x.reshape(-1, 24).sum(0).expand(32, 24), atol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_conv_norm_in_training(rate, bias):
    ours = wake(ConvNorm(24, 32, 1, bias=bias), seed=1)
    theirs = nn.Sequential(nn.Conv2d(24, 32, 1, bias=bias), nn.BatchNorm2d(32))
    theirs.load_state_dict({k.replace("conv.", "0.").replace("norm.", "1."): v for k, v in ours.state_dict().items()})
    x1, x2 = leaf(sample(3, 4, 24, 5, 6, rate=rate)), leaf(sample(3, 4, 24, 5, 6, rate=rate))
    y1, y2 = ours(x1), theirs(x2.flatten(0, 1)).unflatten(0, (3, 4))
    assert torch.allclose(y1, y2, rtol=1e-4, atol=1e-5)
    grad = torch.randn(y1.shape, generator=torch.Generator().manual_seed(1))
    y1.backward(grad)
    y2.backward(grad)
    assert torch.allclose(x1.grad, x2.grad, rtol=1e-4, atol=1e-4)
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        # a bias before a norm has no effect: its gradient is rounding error or zero
        assert torch.allclose(p.grad, q.grad, rtol=1e-4, atol=1e-3), name
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        assert torch.allclose(getattr(ours.norm, name), getattr(theirs[1], name), rtol=1e-4, atol=1e-5)


def test_conv_norm_lif_in_training_equals_the_watched_layer():
    first, second = (wake(ConvNormLIF(24, 32, 1, bias=True, v_th=1.0, surrogate="atan"), seed=1) for _ in range(2))
    second.conv.register_forward_hook(lambda *_: None)
    x1, x2 = leaf(sample(3, 4, 24, 5, 6, rate=0.1)), leaf(sample(3, 4, 24, 5, 6, rate=0.1))
    y1, y2 = first(x1), second(x2)
    assert 0.05 < y1.mean() < 0.95
    assert (y1 != y2).float().mean() < 1e-3
    y1.sum().backward()
    y2.sum().backward()
    assert torch.allclose(x1.grad, x2.grad, rtol=1e-3, atol=1e-3)
    assert torch.allclose(first.conv.weight.grad, second.conv.weight.grad, rtol=1e-3, atol=1e-2)
    for name in ("running_mean", "running_var"):
        assert torch.allclose(getattr(first.fire.norm, name), getattr(second.fire.norm, name), rtol=1e-4, atol=1e-5)
