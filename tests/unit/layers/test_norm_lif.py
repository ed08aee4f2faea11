"""NormLIF equals BatchNorm2d followed by SpikingJelly's node."""

import pytest
import torch
from slow_oracles import wake
from spikingjelly.activation_based import neuron, surrogate
from torch import nn

from spikinghash.layers.conv import NormLIF
from spikinghash.ops.batch_norm import affine_form

C = 6


def pair(v_th=1.0, tau=1.75):
    ours = wake(NormLIF(C, v_th), seed=3)
    norm = nn.BatchNorm2d(C)
    norm.load_state_dict(ours.norm.state_dict())
    node = neuron.LIFNode(
        tau=tau, v_threshold=v_th, v_reset=0.0, surrogate_function=surrogate.Sigmoid(alpha=4.0), detach_reset=True,
        step_mode="m",
    )  # fmt: skip
    return ours, norm, node


def theirs(norm, node, x):
    return node(norm(x.flatten(0, 1)).unflatten(0, x.shape[:2]))


def example(channels_last=False, seed=0):
    g = torch.Generator().manual_seed(seed)
    # unequal scales and offsets by channel, as convolutions give
    x = torch.randn(4, 3, C, 5, 7, generator=g) * torch.linspace(0.5, 4.0, C)[:, None, None]
    x = x + torch.linspace(-1.0, 2.0, C)[:, None, None]
    if channels_last:
        x = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (4, 3))
    return x, torch.randn(x.shape, generator=g)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("v_th", [1.0, 0.5])
def test_training_spikes_statistics_and_gradients(channels_last, v_th):
    ours, norm, node = pair(v_th)
    x, weights = example(channels_last)
    x1, x2 = x.clone().requires_grad_(True), x.clone().requires_grad_(True)
    s1, s2 = ours(x1), theirs(norm, node, x2)
    assert torch.equal(s1, s2)
    assert 0.05 < s1.mean() < 0.95
    (s1 * weights).sum().backward()
    (s2 * weights).sum().backward()
    for a, b in ((x1, x2), (ours.norm.weight, norm.weight), (ours.norm.bias, norm.bias)):
        assert torch.allclose(a.grad, b.grad, rtol=1e-5, atol=1e-5)
    for name, value in norm.state_dict().items():
        assert torch.allclose(ours.norm.state_dict()[name].double(), value.double(), rtol=1e-5, atol=1e-6)
    assert ours.norm.num_batches_tracked == 1


def test_an_offset_of_many_deviations_does_not_spoil_the_variance():
    ours, norm, _ = pair()
    ours.norm.momentum = norm.momentum = 1.0
    x, _ = example()
    x = x + 20.0
    ours(x)
    norm(x.flatten(0, 1))
    assert torch.allclose(ours.norm.running_var, norm.running_var, rtol=1e-3)
    assert torch.allclose(ours.norm.running_mean, norm.running_mean, rtol=1e-6)


def test_inference_paths_agree_bit_for_bit():
    ours, norm, node = pair()
    ours.eval()
    norm.eval()
    x, _ = example()
    with torch.no_grad():
        fused = ours(x)
        reference = theirs(norm, node, x)
    with_grad = ours(x.clone().requires_grad_(True))
    assert with_grad.requires_grad
    assert torch.equal(fused, with_grad.detach())
    assert torch.equal(fused, reference)
    assert ours.norm.num_batches_tracked == 0


def test_inference_gradients():
    ours, norm, node = pair()
    ours.eval()
    norm.eval()
    x, weights = example()
    x1, x2 = x.clone().requires_grad_(True), x.clone().requires_grad_(True)
    (ours(x1) * weights).sum().backward()
    (theirs(norm, node, x2) * weights).sum().backward()
    for a, b in ((x1, x2), (ours.norm.weight, norm.weight), (ours.norm.bias, norm.bias)):
        assert torch.allclose(a.grad, b.grad, rtol=1e-5, atol=1e-5)


def test_threads_do_not_change_a_bit():
    x = torch.randn(4, 2, 16, 32, 32, generator=torch.Generator().manual_seed(0))
    results = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        layer, data = wake(NormLIF(16)), x.clone().requires_grad_(True)
        s = layer(data)
        (s * x).sum().backward()
        results.append((s.detach(), data.grad, layer.norm.weight.grad, layer.norm.running_var))
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_double_precision_takes_the_library_path_with_the_same_result():
    layer = wake(NormLIF(C)).eval()
    x, _ = example()
    single = layer(x)
    assert torch.equal(layer.double()(x.double()).float(), single.detach())


def test_the_inference_form_is_rounded_once():
    layer = wake(NormLIF(C)).eval()
    n = layer.norm.requires_grad_(False)
    scale, shift, _ = torch.from_numpy(affine_form(C, *n.running()))
    for c in range(C):
        exact = float(n.weight[c]) / (float(n.running_var[c]) + n.eps) ** 0.5
        assert float(scale[c]) == pytest.approx(exact, rel=6e-8)
        assert float(shift[c]) == pytest.approx(float(n.bias[c]) - float(n.running_mean[c]) * exact, rel=1e-6, abs=1e-7)
