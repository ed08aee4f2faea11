"""Whatever torch does with a module it may do with a method's network: right answers, every time."""

import copy

import pytest
import torch
from method_specs import SPECS, batch
from torch import nn

from spikinghash.data.batch import network_input
from spikinghash.errors import ConfigError
from spikinghash.evaluation.energy import estimate_energy
from spikinghash.inference.plan import features
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.method import build


@pytest.fixture(params=SPECS)
def name(request):
    return request.param


def made(name):
    torch.manual_seed(0)
    return build(SPECS[name]).train()


def loss(method, name):
    # statistics of the batch alone: a second call must not see the first
    return method(batch(name)).loss


def by_backward(method, name):
    method.zero_grad()
    loss(method, name).backward()
    return [p.grad.clone() for p in method.parameters()]


def alike(found, expected):
    return all(torch.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in zip(found, expected, strict=True))


def test_autograd_grad_is_what_backward_leaves(name):
    method = made(name)
    expected = by_backward(method, name)
    assert alike(torch.autograd.grad(loss(method, name), list(method.parameters())), expected)
    assert sum(float(g.abs().sum()) for g in expected) > 0


def test_a_second_backward_gives_the_same_again(name):
    method = made(name)
    expected = by_backward(method, name)
    method.zero_grad()
    value = loss(method, name)
    value.backward(retain_graph=True)
    value.backward()
    assert alike([p.grad / 2 for p in method.parameters()], expected)


def test_functional_call_differentiates_the_given_parameters(name):
    method = made(name)
    expected = by_backward(method, name)
    given = {key: p.detach().clone().requires_grad_() for key, p in method.named_parameters()}
    method.zero_grad()
    torch.func.functional_call(method, given, batch(name)).loss.backward()
    assert alike([p.grad for p in given.values()], expected)
    assert all(p.grad is None for p in method.parameters())


def test_functional_call_takes_the_given_weights_in_inference(name):
    network, x = made(name).eval().network, network_input(batch(name).of(SPECS[name].modality))
    given = {key: p * -0.5 for key, p in network.named_parameters()}
    other = copy.deepcopy(network)
    other.load_state_dict(given, strict=False)
    with torch.no_grad():
        found = torch.func.functional_call(network, given, (x,))
        assert torch.equal(found[1], other(x)[1])


def test_a_network_in_inference_can_be_exported(name):
    network, x = made(name).eval().network, network_input(batch(name).of(SPECS[name].modality))

    class Logits(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, frames):
            out, logits = self.network(frames)
            return out.bits, logits

    with torch.no_grad():
        program = torch.export.export(Logits().eval(), (x,))
        for ours, theirs in zip(program.module()(x), Logits()(x), strict=True):
            assert torch.equal(ours, theirs)


def test_hooks_see_every_module_that_is_called(name):
    network, x = made(name).eval().network, network_input(batch(name).of(SPECS[name].modality))
    called = set()
    for key, module in network.named_modules():
        module.register_forward_hook(lambda *_, key=key: called.add(key))
    with torch.no_grad():
        network(x)
    containers = (nn.ModuleList, nn.ParameterList)
    assert {key for key, module in network.named_modules() if not isinstance(module, containers)} == called


class Extra(nn.Module):
    """A layer with weights that says nothing of itself."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return x * self.weight


def test_a_layer_that_does_not_say_its_operations_is_refused_by_name(name):
    network, x = made(name).eval().network, network_input(batch(name).of(SPECS[name].modality))
    network.hash = nn.Sequential(Extra(), network.hash)
    with pytest.raises(ConfigError, match=r"layer hash\.0 \(Extra\) does not say its operations"):
        estimate_energy(network, x)


def test_a_layer_that_does_not_say_its_sums_is_refused_by_name():
    method = made("spikinghash")
    method.network.hash = nn.Sequential(Extra(), method.network.hash)
    with pytest.raises(ConfigError, match=r"layer hash\.0 \(Extra\) does not say its exact sums"):
        snap_to_grid(method.network, 8)


def test_layers_of_torch_take_the_place_of_ours():
    """They know images [N, C, H, W] and no time: each step is an image."""
    network, x = made("spikinghash").eval().network, batch("spikinghash").of("events")
    with torch.no_grad():
        expected = network.features(x)
        down = network.stages[1][0]
        norm, pool = nn.BatchNorm2d(48), nn.MaxPool2d(3, 2, 1)
        norm.load_state_dict(down.conv.norm.state_dict())
        down.conv.norm, down.conv.pool, network.stem.pool = norm.eval(), pool, nn.MaxPool2d(3, 2, 1)
        assert torch.allclose(network.features(x), expected)
        assert torch.equal(features(network, x), network.features(x))


def test_synchronised_norms_see_channels_and_not_clips():
    method, clips = made("spikinghash"), batch("spikinghash", 48)
    nn.SyncBatchNorm.convert_sync_batchnorm(method)
    # without a process group they are ordinary norms
    assert torch.isfinite(method(clips).loss)


def test_a_batch_of_no_clips(name):
    network, x = made(name).eval().network, network_input(batch(name).of(SPECS[name].modality))
    with torch.no_grad():
        out, logits = network(x[:, :0])
    assert out.bits.shape == (0, 16)
    assert logits.shape == (0, 3)


def test_autocast_on_cpu_is_taken_as_it_comes():
    method, clips = made("spikinghash"), batch("spikinghash")
    with torch.autocast("cpu", torch.bfloat16):
        loss = method(clips).loss
    loss.float().backward()
    assert all(torch.isfinite(p.grad).all() for p in method.parameters())


def test_gradients_of_a_network_in_inference_reach_its_first_layer():
    network, x = made("spikinghash").eval().network, batch("spikinghash").of("events").requires_grad_()
    network(x)[1].square().sum().backward()
    assert network.stem.conv.weight.grad.abs().sum() > 0
    assert x.grad.abs().sum() > 0


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
def test_forward_mode_is_right_or_refused():
    network, x = made("spikinghash").eval().network, batch("spikinghash").of("events")
    with pytest.raises((RuntimeError, NotImplementedError)):
        torch.func.jvp(network.feature_maps, (x,), (torch.ones_like(x),))


def test_another_default_dtype_changes_nothing():
    network, x = made("spikinghash").eval().network, batch("spikinghash").of("events")
    with torch.no_grad():
        expected = network.features(x)
        torch.set_default_dtype(torch.float64)
        try:
            assert torch.equal(network.features(x), expected)
            assert torch.equal(features(copy.deepcopy(network), x), expected)
        finally:
            torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_types_of_numbers(dtype):
    network, x = made("spikinghash").eval().to(dtype).network, batch("spikinghash").of("events").to(dtype)
    with torch.no_grad():
        assert network(x)[1].dtype == dtype
