"""The learning rate and the optimisers."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from spikinghash.errors import ConfigError
from spikinghash.training.recipe import Recipe, learning_rate, make_optimiser


def recipe(**changes):
    return Recipe(**({"epochs": 1, "batch": 2, "lr": 0.5, "seed": 0, "warmup": 0.2} | changes))


def test_warm_up_is_linear_and_ends_at_the_peak():
    rates = [learning_rate(recipe(), step, 100) for step in range(20)]
    assert rates == pytest.approx([0.5 * (k + 1) / 20 for k in range(20)])


def test_then_a_cosine_to_a_hundredth_of_the_peak():
    for step in range(20, 100):
        cosine = 0.5 * (1 + math.cos(math.pi * (step - 20) / 80))
        assert learning_rate(recipe(), step, 100) == pytest.approx(0.005 + 0.495 * cosine)
    assert learning_rate(recipe(), 20, 100) == 0.5
    assert learning_rate(recipe(), 100, 100) == pytest.approx(0.005)


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 3, 57])
def test_rises_to_the_peak_once_and_then_falls(warmup, steps):
    rates = [learning_rate(recipe(warmup=warmup), step, steps) for step in range(steps)]
    top = rates.index(max(rates))
    assert max(rates) == 0.5
    assert all(a < b for a, b in pairwise(rates[: top + 1]))
    assert all(a >= b for a, b in pairwise(rates[top:]))
    assert min(rates) > 0


@pytest.mark.parametrize("name", ["adamp", "adamw"])
def test_only_matrices_are_decayed(name):
    module = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))
    optimiser = make_optimiser(module, recipe(optimiser=name, weight_decay=0.25))
    decayed = {id(p): g["weight_decay"] for g in optimiser.param_groups for p in g["params"]}
    assert decayed == {id(p): 0.25 if p.ndim > 1 else 0.0 for p in module.parameters()}


@pytest.mark.parametrize("name", ["adamp", "adamw"])
def test_the_optimisers_minimise(name):
    torch.manual_seed(0)
    layer = nn.Linear(3, 1)
    optimiser = make_optimiser(layer, recipe(optimiser=name, lr=0.05))
    x = torch.randn(20, 3)
    losses = []
    for _ in range(60):
        loss = (layer(x) - x.sum(1, keepdim=True)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_an_unknown_optimiser():
    with pytest.raises(ConfigError, match="unknown optimiser 'sgd'; one of: adamp, adamw"):
        make_optimiser(nn.Linear(1, 1), recipe(optimiser="sgd"))
