"""On a CUDA device every method gives the codes and gradients of the CPU. Skipped where there is none."""

import pytest
import torch
from method_specs import SPECS, batch

from spikinghash.data.batch import labelled, network_input
from spikinghash.inference.read_bits import read_bits
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.method import build
from spikinghash.training.augment import Augmentation, augment

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


@pytest.fixture(autouse=True)
def full_precision():
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def made(name):
    torch.manual_seed(0)
    return build(SPECS[name])


@pytest.mark.parametrize("name", SPECS)
def test_codes_are_those_of_the_cpu(name):
    method, frames = made(name), network_input(batch(name).of(SPECS[name].modality))
    if method.exact:
        snap_to_grid(method.network, SPECS[name].input_levels)
    method.eval()
    ours, _ = read_bits(method, frames)
    theirs, _ = read_bits(method.cuda(), frames.cuda())
    if method.exact:
        assert torch.equal(ours, theirs.cpu())
    else:
        assert (ours == theirs.cpu()).float().mean() > 0.99


def test_augmentation_draws_what_it_draws_on_the_cpu():
    frames = torch.rand(2, 6, 2, 16, 16, generator=torch.Generator().manual_seed(1))
    events, pictures = Augmentation(2.0, 10.0, 0.1, 0.2), Augmentation(flip=True, crop_px=2, erase=0.5, rand_ops=2)
    pixels = (frames[0, :, :1].expand(6, 3, 16, 16) * 255).byte()
    for name, one, asked in (("events", frames, events), ("image", pixels, pictures)):
        some = labelled({name: one}, torch.zeros(6, dtype=torch.int64), 1)
        ours = augment(some, asked, torch.Generator().manual_seed(2))
        theirs = augment(some.to(torch.device("cuda")), asked, torch.Generator().manual_seed(2))
        assert torch.allclose(ours.inputs[name].float(), theirs.inputs[name].cpu().float(), atol=1e-5)


@pytest.mark.parametrize("name", SPECS)
def test_gradients_are_those_of_the_cpu(name):
    method, clips = made(name).train(), batch(name)
    method(clips).loss.backward()
    ours = [p.grad.clone() for p in method.parameters()]
    method.zero_grad()
    method.cuda()
    method(clips.to(torch.device("cuda"))).loss.backward()
    for (key, p), expected in zip(method.named_parameters(), ours, strict=True):
        assert torch.allclose(p.grad.cpu(), expected, rtol=1e-3, atol=1e-4), key
