"""PLIF equals SpikingJelly's node, its time constant learns, and it keeps nothing between calls."""

import pytest
import torch
from spikingjelly.activation_based import neuron, surrogate

from spikinghash.errors import ConfigError
from spikinghash.layers.conv import ConvNormLIF
from spikinghash.neurons.plif import PLIF


@pytest.mark.parametrize("tau", [1.5, 2.0, 4.0])
def test_equals_spikingjelly(tau):
    x = torch.randn(5, 40, generator=torch.Generator().manual_seed(0)) * 2
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    ours = PLIF(0.6, tau, "atan")
    theirs = neuron.ParametricLIFNode(
        init_tau=tau, v_threshold=0.6, surrogate_function=surrogate.ATan(alpha=2.0), detach_reset=True, step_mode="m"
    )
    results = []
    for node, w in ((ours, ours.w), (theirs, theirs.w)):
        data = x.clone().requires_grad_()
        s = node(data)
        (s * weights).sum().backward()
        results.append((s.detach(), data.grad, w.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert 0.05 < results[0][0].mean() < 0.9
    for a, b in zip(results[0][1:], results[1][1:], strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_no_state_between_calls():
    node, x = PLIF(), torch.full((3, 4), 1.6)
    assert torch.equal(node(x), node(x))


def test_it_takes_the_place_of_lif_in_a_layer():
    layer, x = ConvNormLIF(16, 32, 1, bias=True, v_th=1.0, surrogate="atan"), torch.randn(4, 2, 16, 3, 3)
    layer.fire.neuron = PLIF(1.0)
    layer(x).sum().backward()
    assert layer.fire.neuron.w.grad is not None
    assert layer.conv.weight.grad.abs().sum() > 0


def test_a_time_constant_that_no_sigmoid_gives_is_refused():
    with pytest.raises(ConfigError, match=r"tau is 1\.0"):
        PLIF(tau=1.0)
