"""Checkpointed blocks give the outputs, gradients and running statistics of the whole graph, with every method."""

import pytest
import torch
from method_specs import SPECS, batch
from spawned_workers import results_of
from torch.nn.parallel import DistributedDataParallel

from spikinghash.errors import ConfigError
from spikinghash.methods.method import build
from spikinghash.training.activation_checkpointing import activation_checkpointing, blocks_of
from spikinghash.training.average_buffers import average_buffers
from spikinghash.training.optimizer_step import accumulated_step
from spikinghash.training.recipe import Recipe, make_optimiser

WITH_BLOCKS = [name for name in SPECS if not name.startswith("hashnet")]


def method(name):
    torch.manual_seed(0)
    return build(SPECS[name].changed(soft=True)).train()


def step(module, name, seeds):
    """One step of two parts."""
    optimiser = make_optimiser(module, Recipe(epochs=1, batch=8, lr=1e-3, seed=0))
    losses = [lambda seed=seed: module(batch(name, 4, seed)).loss for seed in seeds]
    accumulated_step(module, losses, optimiser, 1e9)


def trained(name, seeds=(0, 1)):
    """Gradients, weights, buffers, and the state of torch's generator, after a step."""
    own = method(name)
    step(own, name, seeds)
    return {k: p.grad for k, p in own.named_parameters()}, own.state_dict(), torch.get_rng_state()


def same(ours, theirs):
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_a_step_is_the_same_bit_for_bit(name):
    expected = trained(name)
    own = method(name)
    with activation_checkpointing(own):
        step(own, name, (0, 1))
    assert same({k: p.grad for k, p in own.named_parameters()}, expected[0])
    # running statistics among them: counted once
    assert same(own.state_dict(), expected[1])
    assert torch.equal(torch.get_rng_state(), expected[2])


def saved_bytes(own, name):
    """Of different tensors that are kept for the gradient beside the weights: the graph's, and inputs of blocks."""
    kept = {}
    weights = {p.data_ptr() for p in own.parameters()}

    def pack(x):
        if x.data_ptr() not in weights:
            kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    def note(inputs):
        pack(inputs[0])

    hooks = [b.register_forward_pre_hook(lambda _, inputs: note(inputs)) for b in blocks_of(own)]
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        loss = own(batch(name)).loss
    assert loss.requires_grad
    for hook in hooks:
        hook.remove()
    return sum(kept.values())


@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_the_graph_keeps_less(name):
    whole = saved_bytes(method(name), name)
    own = method(name)
    with activation_checkpointing(own):
        assert saved_bytes(own, name) < 0.75 * whole


def test_it_is_taken_off_again_whatever_happens():
    own = method("spikinghash")
    found = []

    def fail():
        with activation_checkpointing(own):
            found.extend(module for module in own.modules() if "forward" in module.__dict__)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert set(found) == set(blocks_of(own))
    assert not any("forward" in module.__dict__ for module in own.modules())


def test_a_network_without_blocks_is_told():
    with pytest.raises(ConfigError, match=r"activation_checkpointing.*no blocks"), activation_checkpointing(
        method("hashnet")
    ):  # fmt: skip
        pass


def worker(rank, port, found):
    """A step with and one without, of different clips on each rank."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    seen = {}
    for name in ("spikinghash", "timesformer"):
        for asked in (False, True):
            own = method(name)
            parallel = DistributedDataParallel(own, forward_sync_buffers=False, gradient_as_bucket_view=True)
            seeds = (2 * rank, 2 * rank + 1)
            if asked:
                with activation_checkpointing(own):
                    step(parallel, name, seeds)
            else:
                step(parallel, name, seeds)
            average_buffers(own)
            gradients = {f"gradient {k}": p.grad for k, p in own.named_parameters()}
            seen[name, asked] = {k: v.detach().numpy() for k, v in (gradients | own.state_dict()).items()}
    found.put((rank, seen))
    torch.distributed.destroy_process_group()


def test_under_ddp_too():
    for _, seen in results_of(worker, 2):
        for name in ("spikinghash", "timesformer"):
            ours, theirs = seen[name, True], seen[name, False]
            assert ours.keys() == theirs.keys()
            assert all((ours[key] == theirs[key]).all() for key in ours)
