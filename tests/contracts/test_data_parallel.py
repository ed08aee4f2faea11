"""Two ranks under DDP as torch gives it take the same steps down the mean of their gradients, with every method."""

import pytest
import torch
from method_specs import SPECS, batch
from spawned_workers import results_of
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from spikinghash.methods.method import build
from spikinghash.training.average_buffers import average_buffers
from spikinghash.training.optimizer_step import accumulated_step, optimizer_step
from spikinghash.training.recipe import Recipe, make_optimiser

STEPS = 5


def method(name):
    torch.manual_seed(0)
    return build(SPECS[name]).train()


def gradients(module):
    return {name: p.grad.clone().numpy() for name, p in module.named_parameters()}


def losses(module, name, seeds):
    return [lambda seed=seed: module(batch(name, 4, seed)).loss for seed in seeds]


def worker(rank, port, found):
    """Steps of one part, and a last one of two."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    seen = {}
    for name in SPECS:
        own = method(name)
        if rank:
            nn.init.zeros_(own.network.classifier.weight)
        parallel = DistributedDataParallel(own)
        optimiser = make_optimiser(own, Recipe(epochs=1, batch=8, lr=1e-3, seed=0))
        many = []
        for step in range(STEPS):
            optimizer_step(parallel, parallel(batch(name, 4, 2 * step + rank)).loss, optimiser, 1e9)
            many.append(gradients(own))
        parts = losses(parallel, name, [100 + rank, 102 + rank])
        accumulated_step(parallel, parts, optimiser, 1e9)
        many.append(gradients(own))
        average_buffers(own)
        seen[name] = many, {k: v.detach().numpy() for k, v in own.state_dict().items()}
    found.put((rank, seen))
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def seen():
    return dict(results_of(worker, 2))


@pytest.mark.parametrize("name", SPECS)
def test_gradients_are_equal_after_every_step_and_weights_at_the_end(seen, name):
    (first, weights), (second, others) = seen[0][name], seen[1][name]
    for a, b in zip(first, second, strict=True):
        assert all((a[key] == b[key]).all() for key in a)
    assert all((weights[key] == others[key]).all() for key in weights)


@pytest.mark.parametrize("name", SPECS)
def test_the_first_gradient_is_the_mean_of_both_ranks(seen, name):
    torch.set_num_threads(1)
    many = []
    for rank in range(2):
        own = method(name)
        own(batch(name, 4, rank)).loss.backward()
        many.append(gradients(own))
    for key, found in seen[0][name][0][0].items():
        mean = (many[0][key] + many[1][key]) / 2
        assert abs(found - mean).max() <= 1e-5 * max(1.0, abs(mean).max()), key


@pytest.mark.parametrize("name", SPECS)
def test_a_step_of_two_parts_has_the_mean_of_both(name):
    torch.set_num_threads(1)
    many, whole = [], method(name)
    for part in range(2):
        own = method(name)
        own(batch(name, 4, part)).loss.backward()
        many.append(gradients(own))
    accumulated_step(
        whole, losses(whole, name, range(2)), make_optimiser(whole, Recipe(epochs=1, batch=8, lr=1e-3, seed=0)), 1e9
    )
    for key, found in gradients(whole).items():
        mean = (many[0][key] + many[1][key]) / 2
        assert abs(found - mean).max() <= 1e-5 * max(1.0, abs(mean).max()), key
