"""Constants made of weights are made again whenever the weights change, however that happens."""

import copy

import pytest
import torch
from slow_oracles import wake
from torch import nn

from spikinghash.layers.attention import SpikingSelfAttention
from spikinghash.layers.constants import kept
from spikinghash.layers.mlp import SpikingMLP
from spikinghash.layers.wavemixer import HighMixer
from spikinghash.methods.spikinghash import SIZES, Spikinghash


def grid(module):
    with torch.no_grad():
        for name, p in module.named_parameters():
            if "conv" in name or "channel" in name:
                p.copy_(torch.round(p * 256) / 256)
    return module.eval()


def spikes(*shape):
    return (torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.3).float()


def network():
    return Spikinghash(SIZES["Nano"], bits=16, classes=3, steps=4, height=32, width=32)


CASES = {
    "mlp": (lambda: SpikingMLP(16, 2), lambda m, x: m(x), (4, 2, 16, 3, 3)),
    "attention": (lambda: SpikingSelfAttention(16, 2), lambda m, x: m(x), (4, 2, 16, 3, 3)),
    "mixer": (lambda: HighMixer(16, 7, (2, 3, 3), 1, 0.5, "atan"), lambda m, x: m(x), (2, 7, 2, 3, 3, 16)),
    "network": (network, lambda m, x: m.features(x), (4, 2, 2, 32, 32)),
}


def change_in_place(module):
    with torch.no_grad():
        for p in module.parameters():
            p.mul_(-0.5)
    return module


def load(module):
    other = wake(copy.deepcopy(module), seed=7)
    module.load_state_dict(other.state_dict())
    return module


def new_parameters(module):
    for m in module.modules():
        if isinstance(m, nn.Conv2d | nn.BatchNorm2d):
            m.weight = nn.Parameter(m.weight.detach() * -0.5)
    return module


def copied_and_changed(module):
    return change_in_place(copy.deepcopy(module))


def moved(module):
    """There and back: the parameters stay, their values are replaced."""
    return module.half().float()


@pytest.mark.parametrize("change", [change_in_place, load, new_parameters, copied_and_changed, moved])
@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_a_change_is_seen(case, change):
    make, run, shape = CASES[case]
    module, x = grid(wake(make(), 1)), spikes(*shape)
    before = run(module, x)
    assert torch.equal(run(module, x), before)
    module = change(module)
    fresh = grid(make())
    fresh.load_state_dict(module.state_dict())
    assert torch.equal(run(module, x), run(fresh, x))


@torch.no_grad()
def test_statistics_of_training_are_seen():
    module, x = wake(SpikingMLP(16, 2), 1).eval(), spikes(4, 2, 16, 3, 3)
    before = module(x)
    module.train()(x)
    after = module.eval()(x)
    assert not torch.equal(before, after)
    fresh = SpikingMLP(16, 2).eval()
    fresh.load_state_dict(module.state_dict())
    assert torch.equal(after, fresh(x))


def test_what_is_kept_is_made_once():
    owner, made = nn.Linear(2, 2), []

    def make():
        made.append(1)
        return len(made)

    tensors = [owner.weight, None]
    assert kept(owner, tensors, make) == kept(owner, list(tensors), make) == 1
    with torch.no_grad():
        owner.weight.add_(1)
    assert kept(owner, tensors, make) == 2
    assert kept(owner, [owner.weight, owner.bias], make) == 3
