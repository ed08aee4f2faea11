"""On a CUDA device every method gives the codes and gradients of the CPU. Skipped where there is none."""

import pytest
import torch
from method_specs import SPECS, batch

from spikinghash.inference.read_bits import read_bits
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.method import LossWeights, build

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


@pytest.fixture(autouse=True)
def full_precision():
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def made(name):
    torch.manual_seed(0)
    return build(SPECS[name], LossWeights())


@pytest.mark.parametrize("name", SPECS)
def test_codes_are_those_of_the_cpu(name):
    method, frames = made(name), batch(name)[0]
    if method.exact:
        snap_to_grid(method.network, SPECS[name].input_levels)
    method.eval()
    ours, _ = read_bits(method, frames)
    theirs, _ = read_bits(method.cuda(), frames.cuda())
    if method.exact:
        assert torch.equal(ours, theirs.cpu())
    else:
        assert (ours == theirs.cpu()).float().mean() > 0.99


@pytest.mark.parametrize("name", SPECS)
def test_gradients_are_those_of_the_cpu(name):
    method, (frames, labels) = made(name).train(), batch(name)
    method(frames, labels).loss.backward()
    ours = [p.grad.clone() for p in method.parameters()]
    method.zero_grad()
    method.cuda()
    method(frames.cuda(), labels.cuda()).loss.backward()
    for (key, p), expected in zip(method.named_parameters(), ours, strict=True):
        assert torch.allclose(p.grad.cpu(), expected, rtol=1e-3, atol=1e-4), key
