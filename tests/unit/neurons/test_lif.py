"""LIF equals SpikingJelly's node and a scalar loop over eqs. 1-3, and keeps nothing between calls."""

import numpy as np
import pytest
import torch
from slow_oracles import neuron
from spikingjelly.activation_based import functional, surrogate
from spikingjelly.activation_based import neuron as sj

from spikinghash.errors import ConfigError
from spikinghash.neurons.lif import LIF

SURROGATES = {"sigmoid": lambda: surrogate.Sigmoid(alpha=4.0), "atan": lambda: surrogate.ATan(alpha=2.0)}


def reference(x, v_th, tau, name):
    node = sj.LIFNode(
        tau=tau, decay_input=True, v_threshold=v_th, v_reset=0.0, surrogate_function=SURROGATES[name](),
        detach_reset=True, step_mode="m",
    )  # fmt: skip
    functional.reset_net(node)
    return node(x)


def gradients(run, x, weights):
    x = x.clone().requires_grad_(True)
    s = run(x)
    (s * weights).sum().backward()
    return s.detach(), x.grad


@pytest.mark.parametrize("name", ["sigmoid", "atan"])
@pytest.mark.parametrize(("tau", "v_th"), [(1.75, 1.0), (1.75, 0.35), (2.0, 0.2), (2.0, 1.0), (4.0, 0.5)])
@pytest.mark.parametrize("channels_last", [False, True])
def test_equals_spikingjelly(name, tau, v_th, channels_last):
    g = torch.Generator().manual_seed(1)
    x = torch.randn(6, 3, 5, 4, 7, generator=g) * 2
    weights = torch.randn(x.shape, generator=g)
    if channels_last:
        x = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (6, 3))
    ours, our_grad = gradients(LIF(v_th, tau, name), x, weights)
    theirs, their_grad = gradients(lambda v: reference(v, v_th, tau, name), x, weights)
    assert torch.equal(ours, theirs)
    assert 0.05 < ours.mean() < 0.6
    assert torch.allclose(our_grad, their_grad, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 9), (1, 5), (8, 2, 3), (4, 2, 3, 2, 2, 3)])
def test_any_shape_against_a_loop_over_eqs_1_to_3(shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(2)) * 2
    expected, _ = neuron(x.double().numpy(), 0.75)
    assert np.array_equal(LIF(0.75)(x).numpy(), expected)


def test_the_threshold_is_inclusive():
    x = torch.tensor([[2.0, 1.9999999]])  # at tau 2, H is 1 and just below
    assert LIF(1.0, tau=2.0)(x).tolist() == [[1.0, 0.0]]


def test_by_hand():
    # tau 2: H = 0.75; then 0.75 + (1 - 0.75) / 2 = 0.875; then 0.875 + (3 - 0.875) / 2 = 1.94, fires, resets; then 0.5
    x = torch.tensor([1.5, 1.0, 3.0, 1.0])[:, None]
    assert LIF(1.0, tau=2.0)(x)[:, 0].tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("width", [40, 39])
@pytest.mark.parametrize("channels_last", [False, True])
def test_threads_do_not_change_a_bit(channels_last, width):
    g = torch.Generator().manual_seed(3)
    x = torch.randn(4, 2, 23, 39, width, generator=g) * 2
    weights = torch.randn(x.shape, generator=g)
    if channels_last:
        x = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (4, 2))
    one = gradients(LIF(1.0), x, weights)
    torch.set_num_threads(2)
    two = gradients(LIF(1.0), x, weights)
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_state_between_calls(dtype):
    node = LIF(1.0)
    x = torch.full((3, 4), 1.6, dtype=dtype)  # never fires at once, so a leaked potential would
    first = node(x)
    assert torch.equal(node(x), first)
    assert node(torch.full((2, 7), 0.5, dtype=dtype)).sum() == 0


def test_double_precision_gives_the_same_spikes():
    x = torch.randn(5, 40, generator=torch.Generator().manual_seed(4)) * 2
    assert torch.equal(LIF(0.5)(x.double()).float(), LIF(0.5)(x))


def test_the_place_in_a_batch_does_not_matter():
    x = torch.randn(4, 5000, generator=torch.Generator().manual_seed(5)) * 2
    whole = LIF(0.35)(x)
    assert torch.equal(LIF(0.35)(x[:, 1234:1237]), whole[:, 1234:1237])


def test_the_input_is_not_modified():
    x = torch.randn(4, 30)
    before = x.clone()
    LIF(0.35)(x)
    assert torch.equal(x, before)


def test_an_unknown_surrogate_is_refused():
    with pytest.raises(ConfigError, match="unknown surrogate 'relu'; one of: sigmoid, atan"):
        LIF(1.0, surrogate="relu")


def test_constants_may_change_at_any_time():
    x, node = torch.randn(4, 50, generator=torch.Generator().manual_seed(7)) * 2, LIF(1.0)
    node(x)
    node.v_th, node.tau = 0.3, 3.0
    assert torch.equal(node(x), LIF(0.3, 3.0)(x))


def test_a_subclass_with_other_dynamics_is_what_it_says():
    class Silent(LIF):
        def forward(self, x):
            return torch.zeros_like(x)

    from spikinghash.layers.block import Downsample

    x = torch.randn(4, 2, 16, 4, 4) * 3
    layer = Downsample(16, 16, pool=False, surrogate="atan")
    layer.entry = Silent(1.0)
    assert layer(x).std() == 0
