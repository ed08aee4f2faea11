"""The max pool of every step equals the library's, ties and borders included."""

import pytest
import torch
from torch import nn

from spikinghash.layers.pool import MaxPool

LAYER = nn.MaxPool2d(3, 2, 1)


def frames(*shape, ties=False, seed=0):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return x.round() if ties else x


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("shape", [(3, 1, 5, 8, 6), (2, 2, 16, 7, 5), (1, 1, 3, 1, 1), (2, 1, 20, 2, 3)])
def test_values_and_gradients(shape, ties):
    ours, theirs = (frames(*shape, ties=ties).requires_grad_(True) for _ in range(2))
    y, z = MaxPool()(ours), LAYER(theirs.flatten(0, 1)).unflatten(0, shape[:2])
    assert torch.equal(y, z)
    grad = torch.randn(z.shape)
    y.backward(grad)
    z.backward(grad)
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-6)


def test_double_precision_takes_the_library_path():
    x = frames(2, 3, 4, 6, 6).double()
    assert torch.equal(MaxPool()(x), torch.stack([LAYER(step) for step in x]))


@pytest.mark.parametrize("value", [float("nan"), -float("inf")])
def test_a_window_without_a_largest_value_gives_its_gradient_to_its_centre(value):
    x = torch.full((1, 2, 3, 4, 5), value, requires_grad=True)
    MaxPool()(x).sum().backward()
    expected = torch.zeros(4, 5)
    expected[::2, ::2] = 1
    assert torch.equal(x.grad, expected.expand(x.shape))
