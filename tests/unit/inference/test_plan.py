"""A network as a chain of kernels gives what its layers give one by one, bit for bit, for any number of clips."""

import copy

import numpy as np
import pytest
import torch
from slow_oracles import wake

from spikinghash.inference.lowering import chain
from spikinghash.inference.plan import CLIPS, features, in_parts
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.spikingformer import SIZES as FORMERS
from spikinghash.methods.spikingformer import Spikingformer
from spikinghash.methods.spikinghash import SIZES, VARIANTS, Spikinghash


def spikinghash(variant, channels=2):
    return Spikinghash(
        SIZES["Nano"], bits=16, classes=3, steps=4, height=32, width=32, channels=channels, variant=VARIANTS[variant],
        surrogate="atan",
    )  # fmt: skip


NETWORKS = {
    **{name: lambda name=name: spikinghash(name) for name in VARIANTS},
    "pictures": lambda: spikinghash("full", channels=3),
    "former": lambda: Spikingformer(FORMERS["Nano"], bits=16, classes=3, steps=4, surrogate="atan"),
}


def counts(clips):
    g = torch.Generator().manual_seed(0)
    return (torch.rand(4, clips, 2, 32, 32, generator=g) < 0.2) * 3.0


def frames(name):
    if name == "pictures":
        return torch.randint(0, 256, (1, 3, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return counts(3)


@pytest.fixture(scope="module")
def networks():
    made = {}
    for name, make in NETWORKS.items():
        made[name] = wake(make(), 1, frames(name))
        snap_to_grid(made[name], 128 if name == "pictures" else 8)
        made[name].eval()
    return made


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_equals_the_layers_one_by_one(networks, name):
    x, network = frames(name), networks[name]
    ours = features(network, x)
    assert torch.equal(ours, network.features(x))
    assert ours.std() > 0


@pytest.mark.parametrize("threads", [1, 2])
@torch.no_grad()
def test_any_number_of_clips_and_threads(networks, threads):
    network, x = networks["full"], counts(2 * CLIPS + 1)
    torch.set_num_threads(threads)
    whole = features(network, x)
    assert torch.equal(features(network, x[:, 5:6]), whole[:, 5:6])
    assert torch.equal(features(network, x.flip(1)), whole.flip(1))


@torch.no_grad()
def test_a_network_may_carry_tensors_of_any_type(networks):
    network, x = copy.deepcopy(networks["full"]), counts(2)
    network.register_buffer("note", torch.ones(3, dtype=torch.bfloat16))
    assert torch.equal(features(network, x), features(networks["full"], x))


def test_parts_keep_their_order_and_a_step_may_be_empty():
    seen = []

    def step(x):
        seen.append(x.shape[1])
        return x * 2

    x = np.arange(2 * 40).reshape(2, 40)
    assert np.array_equal(in_parts(chain(step, step), x), 4 * x)
    assert sum(seen) == 80
    assert max(seen) <= CLIPS
    assert in_parts(chain(), x[:, :0]).shape == (2, 0)
