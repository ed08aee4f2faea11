"""A lowered layer gives what its `forward` gives, bit for bit."""

import pytest
import torch
from slow_oracles import wake

from spikinghash.inference import plan  # noqa: F401  it registers the lowerings
from spikinghash.inference.lowering import lower_known
from spikinghash.layers.attention import SpikingSelfAttention
from spikinghash.layers.mlp import SpikingMLP
from spikinghash.layers.wavemixer import HighMixer, WaveMixer


def on_a_grid(module):
    """Weights whose sums are exact in any order; norms and token weights stay as they are."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            if "conv" in name or "channel" in name:
                p.copy_(torch.round(p * 256) / 256)
    return module.eval()


def lowered(layer, x):
    """x through the layer's step, channel last on both sides; not as it is."""
    return torch.from_numpy(lower_known(layer)(x.movedim(2, -1).contiguous().numpy())).movedim(-1, 2)


@pytest.mark.parametrize("grid_steps", [None, 1], ids=["weights per step", "weights shared over steps"])
@pytest.mark.parametrize(("C", "groups", "H", "W"), [(16, 1, 4, 8), (20, 2, 3, 7), (6, 3, 5, 5)])
@torch.no_grad()
def test_the_high_mixer(C, groups, H, W, grid_steps):
    T, S, B = 2, 7, 3
    x = torch.randn(T, S, B, H, W, C, generator=torch.Generator().manual_seed(0)) + 0.5
    layer = HighMixer(C, S, (grid_steps or T, H, W), groups, 0.5, "sigmoid")
    on_a_grid(wake(layer, 1, x))
    fused = torch.from_numpy(lower_known(layer)(x.numpy()))
    assert 0.02 < fused.mean() < 0.98
    assert torch.equal(fused, layer(x))


@pytest.mark.parametrize(("C", "ratio", "H", "W"), [(32, 2, 4, 4), (20, 4, 3, 5), (6, 1, 1, 1)])
@torch.no_grad()
def test_the_mlp(C, ratio, H, W):
    x = torch.randn(4, 3, C, H, W, generator=torch.Generator().manual_seed(0)) * 2 + 0.5
    layer = on_a_grid(wake(SpikingMLP(C, ratio), 1, x))
    assert torch.equal(lowered(layer, x), layer(x))


@pytest.mark.parametrize(("C", "heads", "H", "W"), [(64, 8, 4, 4), (48, 4, 3, 5), (32, 1, 2, 2), (16, 1, 3, 4)])
@torch.no_grad()
def test_attention(C, heads, H, W):
    x = torch.randn(4, 3, C, H, W, generator=torch.Generator().manual_seed(0)) * 2 + 0.5
    layer = on_a_grid(wake(SpikingSelfAttention(C, heads), 1, x))
    spikes = []
    handle = layer.fire.register_forward_hook(lambda *found: spikes.append(found[2].mean()))
    layer(x)
    handle.remove()
    assert 0.02 < spikes[0] < 0.98
    assert torch.equal(lowered(layer, x), layer(x))


@pytest.mark.parametrize("temporal", [True, False])
@torch.no_grad()
def test_the_wave_mixer(temporal):
    x = torch.randn(4, 2, 16, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 + 1
    layer = on_a_grid(wake(WaveMixer(16, (4, 8, 8), 1, temporal=temporal), 1, x))
    assert torch.equal(lowered(layer, x), layer(x))


@torch.no_grad()
def test_every_neuron_of_a_layer_has_its_own_constants():
    x = torch.randn(4, 3, 32, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 + 0.5
    mlp = on_a_grid(wake(SpikingMLP(32, 2), 1, x))
    mlp.expand.fire.neuron.v_th, mlp.entry.tau = 0.3, 3.0
    attention = on_a_grid(wake(SpikingSelfAttention(32, 4), 1, x))
    attention.k.fire.neuron.v_th, attention.v.fire.neuron.tau = 0.3, 3.0
    high = torch.randn(2, 7, 3, 4, 4, 32, generator=torch.Generator().manual_seed(0)) + 0.5
    mixer = on_a_grid(wake(HighMixer(32, 7, (2, 4, 4), 1, 0.5, "sigmoid"), 1, high))
    mixer.fire[1].neuron.v_th = 0.2
    assert torch.equal(lowered(mlp, x), mlp(x))
    assert torch.equal(lowered(attention, x), attention(x))
    assert torch.equal(torch.from_numpy(lower_known(mixer)(high.numpy())), mixer(high))
