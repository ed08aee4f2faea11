"""The fused max pool equals the library's, ties and borders included."""

import pytest
import torch
from torch import nn

from spikinghash.layers.conv import per_step
from spikinghash.layers.pool import is_plain_pool, pool

LAYER = nn.MaxPool2d(3, 2, 1)


def images(*shape, ties=False, seed=0):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return (x.round() if ties else x).contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("shape", [(3, 5, 8, 6), (2, 16, 7, 5), (1, 3, 1, 1), (2, 20, 2, 3)])
def test_values_and_gradients(shape, ties):
    ours, theirs = (images(*shape, ties=ties).requires_grad_(True) for _ in range(2))
    y, z = pool(LAYER, ours), LAYER(theirs)
    assert torch.equal(y, z)
    grad = torch.randn(z.shape)
    y.backward(grad)
    z.backward(grad)
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-6)


@pytest.mark.parametrize(
    "shape", [(2, 4, 6, 6), (3, 16, 8, 6), (2, 48, 7, 5), (1, 32, 1, 1), (2, 16, 1, 4), (2, 16, 5, 1)]
)
def test_without_gradient(shape):
    x = images(*shape)
    with torch.no_grad():
        assert torch.equal(pool(LAYER, x), LAYER(x))


def test_double_precision_takes_the_library_path():
    x = images(2, 4, 6, 6).double()
    assert torch.equal(pool(LAYER, x), LAYER(x))


def test_only_this_pool():
    assert is_plain_pool(LAYER)
    assert not is_plain_pool(nn.MaxPool2d(2, 2))
    assert not is_plain_pool(nn.MaxPool2d(3, 2, 1, ceil_mode=True))
    assert not is_plain_pool(nn.AvgPool2d(3, 2, 1))


def test_per_step_pools_every_step():
    x = torch.randn(2, 3, 4, 8, 8)
    assert torch.equal(per_step(LAYER, x), torch.stack([LAYER(step) for step in x]))
