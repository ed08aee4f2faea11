"""Energy of eqs. 25-26: hand-counted networks, and SpikingJelly's counter as a second opinion."""

import itertools

import pytest
import torch
from one_thread import one_thread  # noqa: F401  a fixture
from spikingjelly.activation_based.op_counter import DispatchCounterMode, SynOpCounter
from torch import nn

from spikinghash.evaluation.energy import AC_PJ, MAC_PJ, estimate_energy
from spikinghash.layers.conv import ConvNorm
from spikinghash.layers.mlp import SpikingMLP
from spikinghash.methods.linear_hash import LinearHash
from spikinghash.methods.spikinghash import VARIANTS, Size, Spikinghash
from spikinghash.methods.timesformer import SIZES as VIDEO
from spikinghash.methods.timesformer import TimeSformer
from spikinghash.neurons.lif import LIF

BITS = 16
SMALL = Size(16, (32, 48, 64, 96), groups=(4, 2), pool=(False, True, True, True), ratio=2, heads=8, stem_pool=True)


def small(awake=True):
    torch.manual_seed(0)
    network = Spikinghash(SMALL, bits=BITS, classes=3, steps=4, height=32, width=32)
    if awake:
        for m in network.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.momentum = 1.0
        with torch.no_grad():
            network(frames(6, 1))
    return network.eval()


def frames(batch=3, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, 3, (4, batch, 2, 32, 32), generator=g).float()


def test_two_layers_by_hand():
    """A 3x3 convolution 2 -> 3 on 5 x 4 pixels, a neuron, a 1x1 convolution 3 -> 7; T = 2, two clips."""
    torch.manual_seed(1)
    network = nn.Sequential(ConvNorm(2, 3, 3), LIF(0.5, tau=2.0), ConvNorm(3, 7, 1)).eval()
    x = torch.randint(0, 4, (2, 2, 2, 5, 4)).float()
    first = sum(2 * 3 * 3 for _ in itertools.product(range(2), range(3), range(5), range(4)))
    second = sum(3 for _ in itertools.product(range(2), range(7), range(5), range(4)))
    with torch.no_grad():
        spikes = network[1](network[0](x))
    fired = float(spikes.sum())
    assert 0 < fired < spikes.numel()
    energy = estimate_energy(network, x)
    a, b = energy.layers
    assert (a.name, a.macs, a.spiking, a.acs, a.rate) == ("0.conv", first, False, 0.0, 1.0)
    assert (b.name, b.macs, b.spiking) == ("2.conv", second, True)
    assert b.acs == pytest.approx(fired / 2 * 7)  # each spike of a clip is added to seven sums
    assert energy.total_pj == pytest.approx(4.6 * first + 0.9 * fired / 2 * 7)


def expected_macs():
    """Layer by layer, per clip over four steps."""
    macs = {"stem.conv": 4 * 32 * 32 * 16 * 2 * 9}
    grids, widths, inputs = (16, 8, 4, 2), (32, 48, 64, 96), (16, 32, 48, 64)
    for i, (grid, c, before) in enumerate(zip(grids, widths, inputs, strict=True)):
        source = (16, 16, 8, 4)[i]  # the convolution comes before the pool; the stem pools 32 to 16, stage 0 does not
        macs[f"stages.{i}.0.conv.conv"] = 4 * source * source * c * before * 9
        block = f"stages.{i}.1"
        if i < 2:
            macs[f"{block}.mixer.low"] = c * 1 * (grid // 4) ** 2
            for level, half in (("high1", 2), ("high2", 4)):
                cells = 7 * (4 // half) * (grid // half) ** 2 * c
                for k in range(2):
                    macs[f"{block}.mixer.{level}.token.{k}"] = cells
                    macs[f"{block}.mixer.{level}.channel.{k}"] = cells * (c // (4, 2)[i])
        else:
            for part in ("q.conv", "k.conv", "v.conv", "project.conv"):
                macs[f"{block}.mixer.{part}"] = 4 * grid * grid * c * c
            for part in ("qk", "av"):
                macs[f"{block}.mixer.{part}"] = 4 * (grid * grid) ** 2 * c
        macs[f"{block}.mlp.expand.conv"] = macs[f"{block}.mlp.reduce.conv"] = 4 * grid * grid * c * 2 * c
    macs["hash"] = 4 * 96 * BITS
    return macs


def test_macs_layer_by_layer():
    energy = estimate_energy(small(), frames())
    assert {x.name: x.macs for x in energy.layers} == expected_macs()
    assert len(energy.layers) == len(expected_macs())


def test_only_the_first_convolution_and_the_hash_layer_are_macs():
    energy = estimate_energy(small(), frames())
    assert [x.name for x in energy.layers if not x.spiking] == ["stem.conv", "hash"]
    for x in energy.layers:
        assert x.energy_pj == pytest.approx(0.9 * x.macs * x.rate if x.spiking else 4.6 * x.macs)
        assert 0.0 <= x.rate <= 1.0
    assert sum(x.rate > 0 for x in energy.layers) > 20


def test_silence_costs_only_the_macs():
    energy = estimate_energy(small(awake=False), torch.zeros_like(frames()))
    assert sum(x.acs for x in energy.layers) == 0.0
    macs = expected_macs()
    assert energy.total_pj == pytest.approx(4.6 * (macs["stem.conv"] + macs["hash"]))


def test_parts_add_up():
    energy = estimate_energy(small(), frames())
    report = energy.to_json()
    assert report["total_mj"] == pytest.approx(sum(x["energy_pj"] for x in report["layers"]) * 1e-9)
    assert report["total_mj"] == pytest.approx(report["mac_mj"] + report["ac_mj"])
    assert report["constants"] == {"mac_pj": MAC_PJ, "ac_pj": AC_PJ} == {"mac_pj": 4.6, "ac_pj": 0.9}
    assert report["notes"]


def test_a_batch_costs_the_mean_of_its_clips():
    network = small()
    x = frames()
    alone = [estimate_energy(network, x[:, b : b + 1]).total_pj for b in range(3)]
    assert len(set(alone)) == 3
    assert estimate_energy(network, x).total_pj == pytest.approx(sum(alone) / 3, rel=1e-5)


def test_spikingjelly_counts_the_same_synaptic_operations():
    """1x1 convolutions: every spike meets every output channel, so the two conventions coincide."""
    torch.manual_seed(0)
    network = nn.Sequential(ConvNorm(2, 6, 3), SpikingMLP(6, 3)).eval()
    for m in network.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.momentum = 1.0
    network.train()
    x = torch.randint(0, 3, (4, 2, 2, 5, 5)).float() * 2
    with torch.no_grad():
        network(x)
    network.eval()
    energy = {layer.name: layer for layer in estimate_energy(network, x).layers}
    for name in ("1.expand.conv", "1.reduce.conv"):
        seen = []
        handle = network.get_submodule(name).register_forward_pre_hook(lambda _, args, seen=seen: seen.append(args[0]))
        with torch.no_grad():
            network(x)
        handle.remove()
        counter = SynOpCounter()
        with torch.no_grad(), DispatchCounterMode([counter]):
            network.get_submodule(name)(seen[0])
        assert counter.get_total() > 0
        assert energy[name].acs * 2 == pytest.approx(counter.get_total(), rel=1e-6)


def test_estimating_leaves_no_hooks():
    network = small()
    estimate_energy(network, frames(1))
    assert not any(m._forward_hooks for m in network.modules())


def test_networks_without_spikes_are_charged_as_macs():
    """TimeSformer-Nano on 4 x 32 x 32: patches of 4, 64 places, 4 times, width 64, 4 blocks; counted by hand."""
    model = TimeSformer(VIDEO["Nano"], bits=BITS, classes=3, steps=4, height=32, width=32).eval()
    energy = estimate_energy(model, frames())
    tokens, C = 4 * 64, 64
    linear = tokens * C * (3 * C + C) * 2 + tokens * C * C + tokens * C * 4 * C * 2
    attention = 2 * tokens * 4 * C + 2 * tokens * 64 * C
    expected = tokens * C * 2 * 16 + 4 * (linear + attention) + C * BITS
    assert sum(x.macs for x in energy.layers) == expected
    assert not any(x.spiking for x in energy.layers)
    assert energy.total_pj == pytest.approx(4.6 * expected)


def test_two_dimensional_mixing_counts_every_step():
    network = Spikinghash(SMALL, bits=BITS, classes=3, steps=4, height=32, width=32, variant=VARIANTS["2d-swm"]).eval()
    macs = {x.name: x.macs for x in estimate_energy(network, frames()).layers}
    assert macs["stages.0.1.mixer.low"] == 4 * 32 * 4 * 4
    assert macs["stages.0.1.mixer.high1.token.0"] == 4 * 3 * 8 * 8 * 32


def networks(bits):
    """Each with frames or images, and the layer that makes the bits."""
    yield Spikinghash(SMALL, bits=bits, classes=3, steps=4, height=32, width=32), frames(), 4 * 96
    yield TimeSformer(VIDEO["Nano"], bits=bits, classes=3, steps=4, height=32, width=32), frames(), 64
    yield LinearHash({"events": 2 * 32 * 32}, bits, "none"), {"events": frames()}, 2 * 32 * 32


@pytest.mark.parametrize("place", range(3))
def test_the_part_that_grows_with_the_bits_is_that_of_the_hash_layer(place):
    for bits in (16, 32):
        network, x, width = list(networks(bits))[place]
        assert estimate_energy(network.eval(), x).hash_pj == pytest.approx(4.6 * width * bits)


def test_a_network_that_names_no_hash_layer_has_no_such_part():
    assert estimate_energy(nn.Sequential(ConvNorm(2, 3, 3)).eval(), frames()).hash_pj == 0
