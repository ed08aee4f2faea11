"""Two workers take the same steps, down the mean of their gradients, though the network is one autograd function."""

import numpy as np
import pytest
import torch
from spawned_workers import results_of

from spikinghash.methods.method import LossWeights, build
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.averaging import same_start
from spikinghash.training.descend import descend
from spikinghash.training.recipe import Recipe, make_optimiser
from spikinghash.training.shared_mean import SharedMean

STEPS = 3
SPEC = ModelSpec(
    method="spikinghash", size="Nano", bits=16, classes=("a", "b", "c"), steps=4, height=32, width=32,
    sensor=(32, 32), count_clip=8, surrogate="atan", frames_digest="",
)  # fmt: skip


def method():
    torch.manual_seed(0)
    made = build(SPEC, LossWeights()).train()
    return made, make_optimiser(made, Recipe(epochs=1, batch=8, lr=1e-3, seed=0))


def share(rank):
    g = torch.Generator().manual_seed(rank)
    return (torch.rand(4, 4, 2, 32, 32, generator=g) < 0.3).float(), torch.tensor([0, 1, 2, 0])


def weights(module):
    return torch.cat([p.detach().flatten() for p in module.parameters()]).numpy().copy()


def worker(rank, port, found):
    torch.set_num_threads(1)
    address = f"tcp://127.0.0.1:{port}"
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    own, optimiser = method()
    if rank:
        torch.nn.init.zeros_(own.network.classifier.weight)
    same_start(own)
    average, seen = SharedMean(), []
    for _ in range(STEPS):
        descend(own, own(*share(rank)).loss, optimiser, 1.0, average)
        seen.append(weights(own))
    found.put((rank, seen))
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def seen():
    return dict(results_of(worker, 2))


def test_both_workers_have_the_same_weights_after_every_step(seen):
    for first, second in zip(seen[0], seen[1], strict=True):
        assert np.array_equal(first, second)


def test_the_first_step_goes_down_the_mean_gradient(seen):
    torch.set_num_threads(1)
    gradients = []
    for rank in range(2):
        own, _ = method()
        own(*share(rank)).loss.backward()
        gradients.append([p.grad for p in own.parameters()])
    own, optimiser = method()
    for p, a, b in zip(own.parameters(), *gradients, strict=True):
        p.grad = (a + b) / 2
    optimiser.clipped_step(1.0)
    moved = seen[0][0] - weights(method()[0])
    expected = weights(own) - weights(method()[0])
    # AdamP's first step is about the sign of the gradient, so values near zero may go either way
    assert np.mean(np.abs(moved - expected) < 1e-5) > 0.99
