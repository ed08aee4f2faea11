"""Spiking self-attention (eqs. 13-15) and the MLP (eq. 5) against loops."""

import numpy as np
import pytest
import torch
from slow_oracles import conv1x1, norm, spikes, wake

from spikinghash.layers.attention import SpikingSelfAttention
from spikinghash.layers.mlp import SpikingMLP


def data(C, H, W, seed=0, T=4, B=2):
    return torch.randn(T, B, C, H, W, generator=torch.Generator().manual_seed(seed)) * 2 + 0.5


def attention(x, layer, heads):
    """One head, step, sample and token at a time."""
    T, B, C, H, W = x.shape
    s = spikes(x, 1.0)
    q, k, v = (spikes(norm(conv1x1(s, p.conv), p.fire.norm, 2), 1.0) for p in (layer.q, layer.k, layer.v))
    y = np.zeros_like(x)
    width = C // heads
    for t in range(T):
        for b in range(B):
            for h in range(heads):
                part = slice(h * width, (h + 1) * width)
                Q, K, V = (z[t, b, part].reshape(width, H * W).T for z in (q, k, v))
                y[t, b, part] = ((Q @ K.T) @ V * 0.125).T.reshape(width, H, W)
    return norm(conv1x1(spikes(y, 0.5), layer.project.conv), layer.project.norm, 2), y


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("C", "heads", "H", "W"), [(16, 8, 4, 3), (16, 2, 1, 2)], ids=["tokens exceed width", "width exceeds tokens"]
)
def test_attention_per_head(training, C, heads, H, W):
    x = data(C, H, W)
    layer = wake(SpikingSelfAttention(C, heads), seed=5, sample=x, drive=1.8).train(training)
    expected, products = attention(x.double().numpy(), layer, heads)
    assert 0.05 < spikes(products, 0.5).mean() < 0.95
    assert np.allclose(layer(x).detach().numpy(), expected, atol=1e-4)


def test_both_product_orders_are_exact():
    g = torch.Generator().manual_seed(0)
    q, k, v = ((torch.rand(2, 300, 40, generator=g) < 0.5).float() for _ in range(3))
    assert torch.equal((q @ k.transpose(-2, -1)) @ v, q @ (k.transpose(-2, -1) @ v))


def test_attention_is_per_step_and_per_sample():
    layer = wake(SpikingSelfAttention(16, 4), sample=data(16, 3, 3, seed=1), drive=1.8).eval()
    x = data(16, 3, 3)
    other = x.clone()
    other[:, 1] = 0.0
    assert torch.equal(layer(x)[:, 0], layer(other)[:, 0])
    late = x.clone()
    late[3] = 0.0
    assert torch.equal(layer(x)[:3], layer(late)[:3])


def test_attention_gradients_reach_every_parameter():
    layer = wake(SpikingSelfAttention(16, 4), drive=1.8)
    x = data(16, 3, 3)
    (layer(x) * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    assert all(p.grad.abs().sum() > 0 for name, p in layer.named_parameters() if name != "project.conv.bias")


@pytest.mark.parametrize("training", [True, False])
def test_mlp_is_eq_5(training):
    x = data(6, 3, 5)
    layer = wake(SpikingMLP(6, 3), sample=x).train(training)
    hidden = norm(conv1x1(spikes(x.numpy(), 1.0), layer.expand.conv), layer.expand.fire.norm, 2)
    assert hidden.shape[2] == 18
    expected = norm(conv1x1(spikes(hidden, 1.0), layer.reduce.conv), layer.reduce.norm, 2)
    assert np.allclose(layer(x).detach().numpy(), expected, atol=1e-5)
