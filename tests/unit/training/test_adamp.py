"""The flat AdamP against the library's."""

import copy

import pytest
import torch
from pytorch_optimizer import AdamP
from torch import nn

from spikinghash.training.adamp import FlatAdamP


def network(dtype=torch.float32):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 6, 3), nn.BatchNorm2d(6), nn.Flatten(), nn.Linear(96, 5)).to(dtype)


def groups(model, decay=0.1):
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


def gradients(model, seed, kind):
    """Random, or orthogonal to every channel, or orthogonal to the layer as a whole: the three cases of AdamP."""
    g = torch.Generator().manual_seed(seed)
    for p in model.parameters():
        p.grad = torch.randn(p.shape, generator=g, dtype=p.dtype) * 0.1
        if p.ndim > 1 and kind != "random":
            rows = p.detach().flatten(1) if kind == "channel" else p.detach().reshape(1, -1)
            flat = p.grad.view_as(rows)
            flat.sub_(rows * (flat * rows).sum(1, keepdim=True) / (rows * rows).sum(1, keepdim=True))


def run(make, steps, kind, model=None, optimiser=None, seed=0):
    model = model or network()
    optimiser = optimiser or make(groups(model), lr=0.05)
    for step in range(steps):
        gradients(model, seed + step, kind)
        optimiser.step()
    return model, optimiser


@pytest.mark.parametrize("kind", ["random", "channel", "layer"])
def test_steps_equal_the_library(kind):
    (ours, a), (theirs, b) = run(FlatAdamP, 4, kind), run(AdamP, 4, kind)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(p, q, rtol=2e-5, atol=1e-6)
        for key in ("exp_avg", "exp_avg_sq"):
            assert torch.allclose(a.state[p][key], b.state[q][key], rtol=1e-4, atol=1e-7)
    assert [g["step"] for g in a.param_groups] == [g["step"] for g in b.param_groups] == [4, 4]


def test_each_case_is_a_different_step():
    ends = [nn.utils.parameters_to_vector(run(FlatAdamP, 1, kind)[0].parameters()) for kind in ("random", "channel")]
    assert not torch.allclose(*ends)


def test_projection_leaves_no_radial_part():
    model = network()
    before = model[3].weight.detach().clone()
    optimiser = FlatAdamP(groups(model, decay=0.0), lr=0.05)
    gradients(model, 0, "channel")
    optimiser.step()
    change = model[3].weight.detach() - before
    assert change.abs().sum() > 1
    assert ((change * before).sum(1).abs() < 1e-5).all()


def test_states_are_exchangeable():
    (ours, a), (theirs, b) = run(FlatAdamP, 2, "random"), run(AdamP, 2, "random")
    ours2, theirs2 = network(), network()
    ours2.load_state_dict(theirs.state_dict())
    theirs2.load_state_dict(ours.state_dict())
    c, d = FlatAdamP(groups(ours2), lr=0.05), AdamP(groups(theirs2), lr=0.05)
    c.load_state_dict(b.state_dict())
    d.load_state_dict(a.state_dict())
    run(None, 2, "random", ours2, c, seed=2)
    run(None, 2, "random", theirs2, d, seed=2)
    whole = run(AdamP, 4, "random")[0]
    for model in (ours2, theirs2):
        for p, q in zip(model.parameters(), whole.parameters(), strict=True):
            assert torch.allclose(p, q, rtol=2e-5, atol=1e-6)


def test_a_state_loaded_between_steps_is_used():
    model, optimiser = run(FlatAdamP, 3, "random")
    weights, state = copy.deepcopy(model.state_dict()), copy.deepcopy(optimiser.state_dict())
    run(None, 2, "random", model, optimiser, seed=5)
    end = nn.utils.parameters_to_vector(model.parameters()).clone()
    model.load_state_dict(weights)
    optimiser.load_state_dict(state)
    run(None, 2, "random", model, optimiser, seed=5)
    assert torch.equal(nn.utils.parameters_to_vector(model.parameters()), end)


def test_other_types_and_missing_gradients_take_the_library_step():
    model, twin = network(torch.float64), network(torch.float64)
    for optimiser, net in ((FlatAdamP(groups(model), lr=0.05), model), (AdamP(groups(twin), lr=0.05), twin)):
        gradients(net, 0, "random")
        net[0].bias.grad = None
        optimiser.step()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), twin.parameters(), strict=True))
