"""Fused wavelet, mixer and MLP kernels equal the same layers taken step by step, bit for bit."""

import pytest
import torch
from slow_oracles import wake

from spikinghash.layers.attention import SpikingSelfAttention
from spikinghash.layers.haar import dwt3, idwt3
from spikinghash.layers.mlp import SpikingMLP
from spikinghash.layers.neuron import LIF
from spikinghash.layers.wavelet import join_bands, split_bands
from spikinghash.layers.wavemixer import HighMixer, WaveMixer

SHAPES = [(2, 1, 2, 2, 1), (4, 3, 8, 4, 16), (8, 2, 4, 6, 5), (4, 2, 4, 32, 20)]


def spikes(shape, seed=0, rate=0.3):
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < rate).float()


def leaf(x):
    return x.detach().clone().requires_grad_(True)


@pytest.mark.parametrize("surrogate", ["sigmoid", "atan"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_split_equals_the_passes_axis_by_axis(shape, surrogate):
    node = LIF(0.35, surrogate_name=surrogate)
    ours, theirs = leaf(spikes(shape)), leaf(spikes(shape))
    low, high = split_bands(ours, node, temporal=True)
    bands = dwt3(theirs, node)
    assert torch.equal(low, bands[:, 0])
    assert torch.equal(high, bands[:, 1:])
    grad = torch.randn(bands.shape, generator=torch.Generator().manual_seed(1))
    ((low * grad[:, 0]).sum() + (high * grad[:, 1:]).sum()).backward()
    (bands * grad).sum().backward()
    assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize("surrogate", ["sigmoid", "atan"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_join_equals_the_passes_axis_by_axis(shape, surrogate):
    T, B, H, W, C = shape
    node = LIF(0.35, surrogate_name=surrogate)
    bands = leaf(spikes((T // 2, 8, B, H // 2, W // 2, C), rate=0.5))
    low, high = leaf(bands[:, 0]), leaf(bands[:, 1:])
    ours, theirs = join_bands(low, high, node, temporal=True), idwt3(bands, node)
    assert torch.equal(ours, theirs)
    grad = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    ours.backward(grad)
    theirs.backward(grad)
    assert torch.equal(low.grad, bands.grad[:, 0])
    assert torch.equal(high.grad, bands.grad[:, 1:])


def test_a_band_without_gradient():
    """The low band alone: autograd gives zeros for the rest."""
    x = leaf(spikes((4, 2, 4, 4, 3)))
    split_bands(x, LIF(0.35), temporal=True)[0].sum().backward()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("temporal", [True, False])
def test_a_watched_neuron_is_really_called(temporal):
    node, seen = LIF(0.35), []
    node.register_forward_hook(lambda *_: seen.append(1))
    x = spikes((4, 2, 4, 4, 3))
    low, high = split_bands(x, node, temporal=temporal)
    join_bands(low, high, node, temporal=temporal)
    assert len(seen) == (4 if temporal else 2)


def on_a_grid(module):
    """Weights whose sums are exact in any order; norms and token weights stay as they are."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            if "conv" in name or "channel" in name:
                p.copy_(torch.round(p * 256) / 256)
    return module.eval()


def watched(module, x):
    """The result with every layer really called."""
    handles = [m.register_forward_hook(lambda *_: None) for m in module.modules()]
    result = module(x)
    for handle in handles:
        handle.remove()
    return result


@pytest.mark.parametrize("grid_steps", [None, 1], ids=["weights per step", "weights shared over steps"])
@pytest.mark.parametrize(("C", "groups", "H", "W"), [(16, 1, 4, 8), (20, 2, 3, 7), (6, 3, 5, 5)])
@torch.no_grad()
def test_the_high_mixer(C, groups, H, W, grid_steps):
    T, S, B = 2, 7, 3
    x = torch.randn(T, S, B, H, W, C, generator=torch.Generator().manual_seed(0)) + 0.5
    layer = HighMixer(C, S, (grid_steps or T, H, W), groups, 0.5, "sigmoid")
    on_a_grid(wake(layer, 1, x))
    fused = layer(x)
    assert 0.02 < fused.mean() < 0.98
    assert torch.equal(fused, watched(layer, x))
    torch.set_num_threads(2)
    big = x.repeat(1, 1, 20, 1, 1, 1)
    assert torch.equal(layer(big), fused.repeat(1, 1, 20, 1, 1, 1))


@pytest.mark.parametrize(("C", "ratio", "H", "W"), [(32, 2, 4, 4), (20, 4, 3, 5), (6, 1, 1, 1)])
@torch.no_grad()
def test_the_mlp(C, ratio, H, W):
    x = torch.randn(4, 3, C, H, W, generator=torch.Generator().manual_seed(0)) * 2 + 0.5
    layer = on_a_grid(wake(SpikingMLP(C, ratio), 1, x))
    fused = layer(x)
    assert torch.equal(fused, watched(layer, x))
    torch.set_num_threads(2)
    assert torch.equal(layer(x.repeat(1, 40, 1, 1, 1)), fused.repeat(1, 40, 1, 1, 1))


@pytest.mark.parametrize(("C", "heads", "H", "W"), [(64, 8, 4, 4), (48, 4, 3, 5), (32, 1, 2, 2), (16, 1, 3, 4)])
@torch.no_grad()
def test_attention(C, heads, H, W):
    x = torch.randn(4, 3, C, H, W, generator=torch.Generator().manual_seed(0)) * 2 + 0.5
    layer = on_a_grid(wake(SpikingSelfAttention(C, heads), 1, x))
    fused, spikes = layer(x), []
    handle = layer.fire.register_forward_hook(lambda *found: spikes.append(found[2].mean()))
    layer(x)
    handle.remove()
    assert 0.02 < spikes[0] < 0.98
    assert torch.equal(fused, watched(layer, x))
    torch.set_num_threads(2)
    assert torch.equal(layer(x.repeat(1, 40, 1, 1, 1)), fused.repeat(1, 40, 1, 1, 1))


@pytest.mark.parametrize("temporal", [True, False])
@torch.no_grad()
def test_the_wave_mixer(temporal):
    x = torch.randn(4, 2, 16, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 + 1
    layer = on_a_grid(wake(WaveMixer(16, (4, 8, 8), 1, temporal=temporal), 1, x))
    assert torch.equal(layer(x), watched(layer, x))
