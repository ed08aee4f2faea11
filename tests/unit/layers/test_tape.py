"""A network trained as one function gives the gradients and statistics that autograd gives layer by layer."""

import copy

import numpy as np
import pytest
import torch
from slow_oracles import wake
from torch import nn

from spikinghash.layers import taped_ops
from spikinghash.layers.conv import ConvNorm, per_step
from spikinghash.layers.event_conv import stem_layer
from spikinghash.layers.tape import Gradients, by_autograd, in_sequence, is_taped
from spikinghash.methods.spikingformer import FormerSize, Spikingformer
from spikinghash.methods.spikinghash import SIZES, VARIANTS, Size, Spikinghash

GROUPED = Size(20, (24, 32, 32, 48), groups=(2, 4), pool=(False, True, True, True), ratio=2, heads=4, stem_pool=True)
NO_STEM_POOL = Size(16, (16, 32, 32, 32), groups=(1, 1), pool=(True, True, False, True), ratio=1, heads=2)


def spikinghash(size=SIZES["Nano"], variant="full", steps=4, surrogate="atan", channels=2):
    return Spikinghash(
        size, bits=16, classes=3, steps=steps, height=32, width=32, channels=channels, variant=VARIANTS[variant],
        surrogate=surrogate,
    )  # fmt: skip


NETWORKS = {
    **{name: lambda name=name: spikinghash(variant=name) for name in VARIANTS},
    "sigmoid": lambda: spikinghash(surrogate="sigmoid"),
    "eight steps": lambda: spikinghash(steps=8),
    "groups and odd widths": lambda: spikinghash(GROUPED),
    "pictures": lambda: spikinghash(channels=3),
    "pictures without a pool": lambda: spikinghash(NO_STEM_POOL, channels=3),
    "no pool behind the stem": lambda: spikinghash(NO_STEM_POOL),
    "former": lambda: Spikingformer(
        FormerSize(32, 1, 4, (False, True, True, True)), bits=16, classes=3, steps=4, surrogate="atan"
    ),
}


def counts(steps, clips):
    g = torch.Generator().manual_seed(0)
    shape = (steps, clips, 2, 32, 32)
    return (torch.rand(shape, generator=g) < 0.2) * torch.randint(1, 9, shape, generator=g).float()


def frames(name):
    if name.startswith("pictures"):
        return torch.randint(0, 256, (1, 3, 3, 32, 32), generator=torch.Generator().manual_seed(0)).float()
    return counts(8 if name == "eight steps" else 4, 3)


def trained(network, x):
    """Result, gradients by name and buffers of one step; the loss weighs every bit and class differently."""
    out, logits = network(x)
    g = torch.Generator().manual_seed(1)
    loss = (out.bits * torch.randn(out.bits.shape, generator=g)).sum()
    loss = loss + (logits * torch.randn(logits.shape, generator=g)).sum()
    loss.backward()
    return loss.detach(), {n: p.grad for n, p in network.named_parameters()}, dict(network.named_buffers())


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_autograd_layer_by_layer(name):
    x = frames(name)
    ours = wake(NETWORKS[name](), 1, x).train()
    theirs = copy.deepcopy(ours)
    next(theirs.stem.children()).register_forward_hook(lambda *_: None)
    assert is_taped(ours, x)
    assert not is_taped(theirs, x)
    (loss, gradients, buffers), (their_loss, their_gradients, their_buffers) = trained(ours, x), trained(theirs, x)
    assert torch.allclose(loss, their_loss, rtol=1e-5)
    assert gradients.keys() == their_gradients.keys()
    whole = torch.cat([g.flatten() for g in their_gradients.values()]).norm()
    assert whole > 0
    for key, theirs_here in their_gradients.items():
        assert gradients[key] is not None, key
        assert (gradients[key] - theirs_here).norm() <= 1e-4 * theirs_here.norm() + 1e-6 * whole, key
    for key, theirs_here in their_buffers.items():
        assert torch.allclose(buffers[key].float(), theirs_here.float(), rtol=1e-4, atol=1e-6), key


def test_the_same_step_gives_the_same_bits():
    x, network = counts(4, 2), wake(spikinghash(), 1)
    first, second = (trained(copy.deepcopy(network).train(), x) for _ in range(2))
    assert all(torch.equal(first[1][key], second[1][key]) for key in first[1])


def test_more_threads_give_the_same_step():
    x, network = counts(4, 8), wake(spikinghash(), 1)
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(trained(copy.deepcopy(network).train(), x))
    # the library's own products may be split differently
    assert torch.allclose(found[0][0], found[1][0])
    for key, gradient in found[0][1].items():
        assert torch.allclose(gradient, found[1][1][key], rtol=1e-3, atol=1e-4), key


def test_gradients_of_two_passes_add_up():
    network, x = spikinghash().train(), counts(4, 1)
    passes = []
    for _ in range(2):
        network.zero_grad()
        network(x)[0].rate.sum().backward()
        passes.append([p.grad.clone() for p in network.stages.parameters()])
    network(x)[0].rate.sum().backward()
    assert max(g.abs().max() for g in passes[0]) > 0
    for both, one in zip(network.stages.parameters(), passes[1], strict=True):
        assert torch.allclose(both.grad, 2 * one, rtol=1e-4, atol=1e-6)


def test_parameters_that_moved_are_seen():
    network, x = spikinghash().train(), counts(4, 1)
    network(x)
    twin = copy.deepcopy(network)
    for module in (network, twin):
        weight = module.stages[0][0].conv.conv.weight
        if module is network:
            weight.data = weight.data * 2.0
        else:
            weight.data.mul_(2.0)
    assert torch.equal(network(x)[0].membrane, twin(x)[0].membrane)


@pytest.mark.parametrize("why", ["inference", "no gradient", "double", "input gradient", "watched", "heard"])
def test_what_runs_under_autograd(why):
    network, x = spikinghash().train(), counts(4, 1)
    if why == "inference":
        network.eval()
    elif why == "double":
        x = x.double()
    elif why == "input gradient":
        x.requires_grad_()
    elif why == "watched":
        network.stages[2].register_forward_pre_hook(lambda *_: None)
    elif why == "heard":
        network.stem.norm.weight.register_hook(lambda _: None)
    with torch.set_grad_enabled(why != "no gradient"):
        assert not is_taped(network, x)


def backwards(step, x, g):
    """What a step gives, the gradient of its input and those of its parameters."""
    grads = Gradients()
    y, back = step(x, grads)
    return y, back(g), grads


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize(("H", "W", "C"), [(8, 8, 16), (5, 7, 32), (1, 1, 16), (6, 1, 20)])
def test_norm_and_pool_as_one_step(H, W, C, falling):
    torch.manual_seed(0)
    x, norm, pool = torch.randn(2, 3, H, W, C), nn.BatchNorm2d(C), nn.MaxPool2d(3, 2, 1)
    with torch.no_grad():
        norm.weight.copy_(torch.randn(C) * (-1 if falling else 1))
        norm.weight[0] = 0.0
    leaf = x.clone().requires_grad_()
    images = leaf.flatten(0, 1).movedim(-1, 1)
    theirs = pool(nn.functional.batch_norm(images, None, None, norm.weight, norm.bias, training=True))
    g = torch.randn(theirs.shape)
    theirs.backward(g)
    rows = g.movedim(1, -1).contiguous().numpy().reshape(2, 3, *theirs.shape[2:], C)
    y, gx, grads = backwards(lambda a, b: taped_ops.normed_and_pooled(a, norm, pool, b), x.numpy(), rows)
    assert np.allclose(y.reshape(rows.shape), theirs.detach().movedim(1, -1).numpy().reshape(rows.shape), atol=1e-5)
    assert np.allclose(gx, leaf.grad.numpy(), atol=1e-4)
    assert torch.allclose(grads.of(norm.weight), norm.weight.grad, rtol=1e-4, atol=1e-4)
    assert torch.allclose(grads.of(norm.bias), norm.bias.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("pool", [nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(2), None])
@pytest.mark.parametrize(("P", "K", "kernel"), [(2, 16, 3), (3, 32, 5), (1, 48, 1), (2, 20, 3)])
def test_the_stem(P, K, kernel, pool):
    torch.manual_seed(0)
    layer, x = ConvNorm(P, K, kernel), counts(4, 2)[:, :, :1].repeat(1, 1, P, 1, 1)[..., :9, :7].contiguous()
    theirs = layer(x) if pool is None else per_step(pool, layer(x))
    g = torch.randn(theirs.shape)
    theirs.backward(g)
    expected = {p: p.grad for p in layer.parameters()}
    y, _, grads = backwards(stem_layer(layer, pool), x.numpy(), g.movedim(2, -1).contiguous().numpy())
    assert np.allclose(y, theirs.detach().movedim(2, -1).numpy(), atol=1e-5)
    for parameter, gradient in expected.items():
        assert torch.allclose(grads.of(parameter), gradient, rtol=1e-3, atol=1e-4)


def test_two_terms_of_a_gradient_are_added_and_unused_parameters_have_none():
    weight, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(1))

    def twice(x, grads):
        return by_autograd(lambda t: t * weight, [weight, unused], x, grads)

    x, g = np.array([[1.0, 2.0]], np.float32), np.ones((1, 2), np.float32)
    y, gx, grads = backwards(lambda a, b: in_sequence([twice, twice], a, b), x, g)
    assert np.array_equal(y, x)
    assert np.array_equal(gx, g)
    assert torch.equal(grads.of(weight), torch.tensor([2.0, 4.0]))
    assert grads.of(unused) is None
