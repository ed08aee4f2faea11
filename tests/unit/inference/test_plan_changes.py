"""A plan is made anew whenever the network has changed, however that happens; the network itself is the judge."""

import copy
import threading

import pytest
import torch
from slow_oracles import wake
from torch import nn

from spikinghash.inference.plan import features, plan
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.spikinghash import SIZES, Spikinghash
from spikinghash.neurons.lif import LIF
from spikinghash.neurons.plif import PLIF


def frames(clips=3):
    g = torch.Generator().manual_seed(0)
    return (torch.rand(4, clips, 2, 32, 32, generator=g) < 0.2) * 3.0


def network():
    torch.manual_seed(0)
    made = wake(Spikinghash(SIZES["Nano"], bits=16, classes=3, steps=4, height=32, width=32), 1, frames())
    snap_to_grid(made, 8)
    return made.eval()


def in_place(net):
    for p in net.parameters():
        p.mul_(-0.5)


def loaded(net):
    net.load_state_dict(wake(copy.deepcopy(net), seed=7).state_dict())


def new_parameters(net):
    for m in net.modules():
        if isinstance(m, nn.Conv2d | nn.BatchNorm2d):
            m.weight = nn.Parameter(m.weight.detach() * -0.5)


def moved(net):
    net.half().float()


def trained(net):
    net.train()(frames(8) * 2)
    net.eval()


def another_pool(net):
    net.stages[1][0].pool = _AveragePool()


def another_neuron(net):
    net.stages[2][1].mlp.entry = PLIF(0.4)


def another_threshold(net):
    net.stages[2][1].mlp.expand.fire.neuron.v_th = 0.25


def another_block(net):
    net.stages[3][1] = nn.Identity()


def another_transform(net):
    net.stages[0][1].mixer.transform = LIF(0.2)


def a_subclass(net):
    net.stages[0][1].mixer.high1.fire[0].neuron = _Inverted()


def patched(net):
    net.stages[1][1].forward = lambda x: x * 0.5


class _AveragePool(nn.Module):
    def forward(self, x):
        return nn.functional.avg_pool2d(x.flatten(0, 1), 2).unflatten(0, x.shape[:2])


class _Inverted(LIF):
    def forward(self, x):
        return 1.0 - super().forward(x)


CHANGES = (
    in_place, loaded, new_parameters, moved, trained, another_pool, another_neuron, another_threshold, another_block,
    another_transform, a_subclass, patched,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@torch.no_grad()
def test_a_change_is_seen(change):
    net, x = network(), frames()
    before = features(net, x)
    assert torch.equal(features(net, x), before)
    change(net)
    assert torch.equal(features(net, x), net.features(x))
    assert not torch.equal(features(net, x), before) or change is moved


@torch.no_grad()
def test_an_unchanged_network_is_planned_once():
    net = network()
    assert plan(net) is plan(net)
    assert plan(copy.deepcopy(net)) is not plan(net)


@torch.no_grad()
def test_a_hook_added_later_sees_every_clip_at_once():
    net, x, seen = network(), frames(40), []
    before = features(net, x)
    net.stages[3][1].mlp.entry.register_forward_hook(lambda _, __, out: seen.append(out.shape[1]))
    assert torch.equal(features(net, x), before)
    assert seen == [40]


@torch.no_grad()
def test_a_hook_may_change_what_comes_out():
    net, x = network(), frames()
    features(net, x)
    net.stages[1].register_forward_hook(lambda _, __, out: out * 0)
    assert torch.equal(features(net, x), net.features(x))


@torch.no_grad()
def test_a_part_left_in_training_is_taken_as_it_is():
    net, x = network(), frames()
    features(net, x)
    net.stages[1][0].conv.norm.train()
    assert torch.equal(features(net, x), copy.deepcopy(net).features(x))


def test_threads_share_a_plan():
    net, x = network(), frames(24)
    with torch.no_grad():
        expected, found = net.features(x), {}

    def work(k):
        with torch.no_grad():
            found[k] = features(net, x[:, 4 * k : 4 * k + 8])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(found[k], expected[:, 4 * k : 4 * k + 8]) for k in range(5))


def test_weights_of_inference_mode_are_not_planned_but_right():
    with torch.inference_mode():
        net = network()
        assert torch.equal(features(net, frames()), net.features(frames()))
