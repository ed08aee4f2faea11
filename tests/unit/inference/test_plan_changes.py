"""A plan is made anew whenever the network has changed, however that happens; the network itself is the judge."""

import copy
import gc
import threading
import weakref

import numpy as np
import pytest
import torch
from slow_oracles import wake
from torch import nn

from spikinghash.errors import ConfigError
from spikinghash.inference.plan import features, plan, tensors_of
from spikinghash.layers.conv import Conv
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.layers.pool import MaxPool
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
    net.stages[1][0].conv.pool = _AveragePool()


def a_pool_for_a_neuron(net):
    """What the convolution behind it gets are no spikes."""
    net.stages[3][0].entry = MaxPool().eval()


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


class _Stem(nn.Module):
    def forward(self, x):
        return x.mean(2, keepdim=True).expand(-1, -1, 16, -1, -1)[..., ::2, ::2]


class _Inverted(LIF):
    def forward(self, x):
        return 1.0 - super().forward(x)


def through_data(net):
    """As hand-written optimisers and averages write; torch counts it nowhere."""
    for p in net.parameters():
        p.data.mul_(-0.5)


def through_numpy(net):
    net.stages[1][0].conv.conv.weight.detach().numpy()[:] *= -1


def other_strides(net):
    """The same values in the same place, read in another order."""
    weight = net.stages[0][1].mixer.high1.channel[0]
    weight.data = weight.data.transpose(1, 2)


def through_a_view_of_other_strides(net):
    weight = net.stages[0][1].mixer.low
    weight.data = weight.data.movedim(0, -1).contiguous().movedim(-1, 0)
    assert not weight.is_contiguous()
    features(net, frames())
    weight.data.mul_(-0.5)


def cut_short(net):
    """The same place and strides: weights that all steps share."""
    weight = net.stages[0][1].mixer.high1.token[0]
    weight.data = weight.data[:, :1]


def signs_in_pairs(net):
    """The top bits of two words: sums of odd multiples would not show them."""
    weight = net.stages[1][0].conv.conv.weight.data.view(-1)
    weight[[1, 3]] *= -1


def signs_of_a_channel(net):
    net.stages[2][1].mlp.expand.conv.weight.data[:, 1] *= -1


def signs_of_every_other_norm(net):
    net.stages[1][0].conv.norm.bias.detach().numpy()[1::2] *= -1


def a_constant_of_numpy(net):
    net.stages[2][1].mlp.expand.fire.neuron.v_th = np.float64(0.25)


def another_class(net):
    net.stages[0][1].mixer.high1.fire[0].neuron.__class__ = _Inverted


def another_forward_of_a_sequence(net):
    net.stages[2][1].mixer.q.forward = torch.ones_like


def a_wider_kernel(net):
    net.stages[2][1].mlp.expand.conv = Conv(64, 128, 3, bias=True).eval()


def another_stem(net):
    net.stem = _Stem().eval()


def another_attention_part(net):
    net.stages[2][1].mixer.project = nn.Identity().eval()


CHANGES = (
    through_data, through_numpy, other_strides, through_a_view_of_other_strides, cut_short, signs_in_pairs,
    signs_of_a_channel, signs_of_every_other_norm, a_constant_of_numpy, another_class, another_forward_of_a_sequence,
    a_wider_kernel, another_stem, another_attention_part, in_place, loaded, new_parameters, moved, trained,
    another_pool, a_pool_for_a_neuron, another_neuron, another_threshold, another_block, another_transform, a_subclass,
    patched,
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
def test_weights_that_share_memory_are_watched_to_the_last():
    net, x = network(), frames()
    first, second = (net.stages[3][1].mlp.expand.fire.norm, net.stages[3][1].mlp.reduce.norm)
    memory = first.weight.numpy().copy()
    first.weight.data, second.weight.data = torch.from_numpy(memory), torch.from_numpy(memory[: len(second.weight)])
    before = features(net, x)
    memory[len(second.weight) :] *= -3
    assert torch.equal(features(net, x), net.features(x))
    assert not torch.equal(features(net, x), before)


@torch.no_grad()
def test_an_unchanged_network_is_planned_once():
    net = network()
    copied = copy.deepcopy(net)
    made = planned(net)
    assert planned(net) is made
    assert planned(copied) is not made


def planned(net):
    modules = list(net.modules())
    return plan(net, modules, tensors_of(modules))


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
    net, x = network(), frames(40)
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


class _Centred(nn.Module):
    def forward(self, x):
        return x - x.mean(1, keepdim=True)


@torch.no_grad()
def test_a_layer_that_looks_at_other_clips_sees_them_all():
    net, x = network(), frames(40)
    net.stages[1].append(_Centred().eval())
    assert torch.equal(features(net, x), net.features(x))


@torch.no_grad()
def test_frames_of_another_geometry_are_refused_before_a_kernel_sees_them():
    net = network()
    with pytest.raises(ConfigError, match=r"the first convolution takes \[2\], not \[4\]"):
        features(net, torch.zeros(4, 2, 4, 32, 32))
    with pytest.raises(ConfigError, match=r"takes .* not .*; give frames of the model's geometry"):
        features(net, torch.zeros(4, 2, 2, 64, 64))


def test_a_planned_network_is_let_go():
    net = network()
    with torch.no_grad():
        features(net, frames())
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None


@torch.no_grad()
def test_what_a_hook_keeps_stays_as_it_was():
    net, kept = network(), {}
    for name in ("mlp", "mixer"):
        module = getattr(net.stages[1][1], name)
        module.register_forward_hook(lambda _, __, out, name=name: kept.update({name: (out, out.clone())}))
    net(frames())
    assert all(torch.equal(out, copied) for out, copied in kept.values())
