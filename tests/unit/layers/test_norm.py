"""Batch norm without a neuron equals the library's."""

import pytest
import torch
from slow_oracles import wake
from torch import nn

from spikinghash.layers.norm import BatchNorm


def example(C=6, seed=0, offset=0.0):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(12, C, 5, 7, generator=g) * torch.linspace(0.5, 4.0, C)[:, None, None] + offset
    x = x.contiguous(memory_format=torch.channels_last)
    return x.unflatten(0, (4, 3)), torch.randn(x.shape, generator=g).unflatten(0, (4, 3))


def pair(C=6):
    ours, theirs = wake(BatchNorm(C)), nn.BatchNorm2d(C)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize("C", [1, 6, 48, 600])
def test_training(C):
    ours, theirs = pair(C)
    x, weights = example(C)
    x1, x2 = x.clone().requires_grad_(True), x.clone().requires_grad_(True)
    y, z = ours(x1), theirs(x2.flatten(0, 1)).unflatten(0, (4, 3))
    assert torch.allclose(y, z, atol=1e-5)
    (y * weights).sum().backward()
    (z * weights).sum().backward()
    for a, b in ((x1, x2), (ours.weight, theirs.weight), (ours.bias, theirs.bias)):
        assert torch.allclose(a.grad, b.grad, rtol=1e-4, atol=1e-4)
    for name, value in theirs.state_dict().items():
        assert torch.allclose(ours.state_dict()[name].double(), value.double(), rtol=1e-5, atol=1e-6)


def test_a_large_offset_does_not_spoil_the_variance():
    ours, theirs = pair()
    ours.momentum = theirs.momentum = 1.0
    x, _ = example(offset=20.0)
    ours(x)
    theirs(x.flatten(0, 1))
    assert torch.allclose(ours.running_var, theirs.running_var, rtol=1e-3)


def test_inference_is_a_product_and_a_sum_with_and_without_gradient():
    ours, theirs = pair()
    ours.eval()
    theirs.eval()
    x, _ = example()
    with torch.no_grad():
        fixed = ours(x)
    assert torch.equal(fixed, ours(x).detach())
    assert torch.allclose(fixed.flatten(0, 1), theirs(x.flatten(0, 1)), atol=1e-5)
    assert torch.equal(fixed[:, 2:], ours(x[:, 2:]).detach())


def test_double_precision_takes_the_library_path():
    ours, theirs = pair()
    x, _ = example()
    y = ours.double()(x.double())
    assert torch.equal(y.flatten(0, 1), theirs.double()(x.double().flatten(0, 1)))


def test_statistics_of_many_rows_are_accurate():
    """The library's channels-last loop is off by 1e-4 here, enough to move spikes."""
    ours, _ = pair(16)
    g = torch.Generator().manual_seed(0)
    x = (torch.randn(64, 16, 32, 32, generator=g) * 2 + 1).contiguous(memory_format=torch.channels_last)
    exact = nn.functional.batch_norm(x.double(), None, None, ours.weight.double(), ours.bias.double(), True)
    assert torch.allclose(ours(x[None]).double()[0], exact, rtol=0, atol=3e-6)


@pytest.mark.parametrize(
    "options", [{"affine": False}, {"track_running_stats": False}, {"momentum": None}, {"bias": False}]
)
def test_without_weights_or_statistics_it_is_the_librarys_too(options):
    ours, theirs = BatchNorm(6, **options), nn.BatchNorm2d(6, **options)
    x, _ = example()
    x1, x2 = x.clone().requires_grad_(True), x.clone().requires_grad_(True)
    for _ in range(2):
        y, z = ours(x1), theirs(x2.flatten(0, 1)).unflatten(0, (4, 3))
        assert torch.allclose(y, z, atol=1e-5)
    y.square().sum().backward()
    z.square().sum().backward()
    assert torch.allclose(x1.grad, x2.grad, atol=1e-3)
    for kind in (torch.float32, torch.float64):
        ours.eval().to(kind)
        theirs.eval().to(kind)
        assert torch.allclose(ours(x.to(kind)).flatten(0, 1), theirs(x.to(kind).flatten(0, 1)), atol=1e-5)


def test_weights_of_half_precision_count_as_they_are():
    ours = pair()[0].bfloat16().eval()
    x, _ = example()
    assert torch.equal(ours(x), ours.float()(x))


@pytest.mark.parametrize("training", [True, False])
def test_another_number_of_channels_is_an_error(training):
    x, _ = example(16)
    with pytest.raises(ValueError, match="a norm of 8 weights and 8 biases for 16 channels"):
        BatchNorm(8, track_running_stats=not training).train(training)(x)
    norm = BatchNorm(16)
    norm.bias = nn.Parameter(torch.zeros(1))
    with pytest.raises(ValueError, match="16 weights and 1 biases"):
        norm(x)
