"""Convolution, pool and norm of event counts as one kernel against the layers one by one, bit for bit."""

import pytest
import torch
from torch import nn

from spikinghash.inference.lower_stem import lower_stem
from spikinghash.layers.conv import ConvNorm
from spikinghash.layers.hashing_network import HashingNetwork
from spikinghash.layers.pool import MaxPool
from spikinghash.layers.sequential import SpikingSequential

POOL = MaxPool()


class OnlyStem(HashingNetwork):
    """A network that is nothing but its stem."""

    def __init__(self, conv, pool, steps):
        super().__init__()
        parts = {"conv": conv.conv, "norm": conv.norm, "pool": pool}
        self.stem = SpikingSequential(**{name: part for name, part in parts.items() if part is not None})
        self.steps = steps

    def body(self):
        yield from ()


class Average(nn.Module):
    def forward(self, x):
        return nn.functional.avg_pool2d(x.flatten(0, 1), 2).unflatten(0, x.shape[:2])


def layer(P, K, kernel, bias):
    """Weights whose sums are exact in any order; norms that rise, fall and do neither."""
    torch.manual_seed(2)
    made = ConvNorm(P, K, kernel, bias=bias).eval()
    with torch.no_grad():
        for p in made.conv.parameters():
            p.copy_(torch.round(torch.randn(p.shape) * 256) / 256)
        made.norm.weight.normal_()
        made.norm.weight[3] = 0.0
        made.norm.bias.normal_()
        made.norm.running_mean.normal_()
        made.norm.running_var.uniform_(0.5, 2.0)
    return made


def counts(*shape, rate=0.2):
    g = torch.Generator().manual_seed(0)
    return (torch.rand(shape, generator=g) < rate) * torch.randint(1, 9, shape, generator=g).float()


def fused(conv, pool, x):
    step = lower_stem(OnlyStem(conv, pool, len(x)).eval())
    return torch.from_numpy(step(x.numpy())).movedim(-1, 2)


@pytest.mark.parametrize("rate", [0.0, 0.2, 1.0])
@pytest.mark.parametrize(("P", "K", "kernel"), [(2, 16, 3), (1, 32, 5), (1, 48, 1)])
@pytest.mark.parametrize(("H", "W"), [(8, 8), (5, 7), (1, 1), (1, 6)])
@torch.no_grad()
def test_equals_the_layers_one_by_one(H, W, P, K, kernel, rate):
    for bias in (True, False):
        conv, x = layer(P, K, kernel, bias), counts(2, 3, P, H, W, rate=rate)
        assert torch.equal(fused(conv, POOL, x), POOL(conv(x)))
        assert torch.equal(fused(conv, None, x), conv(x))


@torch.no_grad()
def test_odd_widths_and_other_pools_take_the_layers_themselves():
    conv, x = layer(2, 20, 3, False), counts(2, 3, 2, 6, 6)
    assert torch.equal(fused(conv, POOL, x), POOL(conv(x)))
    conv = layer(2, 16, 3, False)
    other = Average().eval()
    assert torch.equal(fused(conv, other, x), other(conv(x)))
