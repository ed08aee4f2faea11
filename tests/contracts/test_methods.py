"""What every hashing method promises. A new method joins by a line in `SPECS`."""

import re
from dataclasses import replace

import pytest
import torch
from method_specs import SPECS, batch, spec

from spikinghash.errors import ConfigError
from spikinghash.inference.read_bits import read_bits
from spikinghash.methods.method import LossWeights, StepResult, build
from spikinghash.methods.registry import METHODS

WEIGHTS = [LossWeights(), LossWeights(soft=True, balance=False, smoothing=0.1)]


@pytest.fixture(params=SPECS)
def name(request):
    return request.param


def made(name, seed=0, weights=WEIGHTS[0]):
    torch.manual_seed(seed)
    return build(SPECS[name], weights)


def trained(name):
    """A method whose norms have seen data, so that its codes say something."""
    m = made(name)
    for x in m.modules():
        if isinstance(x, torch.nn.BatchNorm2d):
            x.momentum = 1.0
    with torch.no_grad():
        for seed in (1, 2):
            m(batch(name, 12, seed))
    return m.eval()


def all_methods():
    with pytest.raises(ConfigError) as caught:
        build(spec("?", "?"), LossWeights())
    return re.split(", ", str(caught.value).split("one of: ")[1])


def test_every_method_is_tested():
    assert {(s.method, s.variant) for s in SPECS.values()} == {
        (method, variant) for method in all_methods() for variant in METHODS[method].variants
    }


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown method 'hash-net'; one of: .*spikinghash"):
        build(spec("hash-net", "Nano"), LossWeights())


def test_an_unknown_variant_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown variant '3d' of spikinghash; one of: full, 2d-swm"):
        build(spec("spikinghash", "Nano", variant="3d"), LossWeights())


def test_an_unknown_size_is_refused(name):
    with pytest.raises(ConfigError, match="unknown size 'Giant'; one of: "):
        build(replace(SPECS[name], size="Giant"), LossWeights())


@pytest.mark.parametrize("weights", WEIGHTS, ids=["plain", "soft"])
def test_one_training_step(name, weights):
    m = made(name, weights=weights).train()
    result = m(batch(name))
    assert isinstance(result, StepResult)
    assert result.loss.shape == ()
    assert torch.isfinite(result.loss)
    assert result.correct.shape == (6,)
    assert result.correct.dtype == torch.bool
    assert result.parts
    assert all(torch.isfinite(v) and not v.requires_grad for v in result.parts.values())
    result.loss.backward()
    for key, p in m.named_parameters():
        assert p.grad is not None, key  # DDP waits for ever on a parameter out of use
        assert torch.isfinite(p.grad).all(), key
    optimiser = torch.optim.SGD(m.parameters(), lr=0.01)
    before = [p.detach().clone() for p in m.parameters()]
    optimiser.step()
    assert any(not torch.equal(a, p) for a, p in zip(before, m.parameters(), strict=True))
    for done in (0.5, 1.0):
        m.end_epoch(done)


def test_all_that_is_saved_is_in_the_network(name):
    m = made(name)
    assert {id(p) for p in m.parameters()} == {id(p) for p in m.network.parameters()}


def test_bits(name):
    m = trained(name)
    frames = m.network_input(batch(name, 9))
    bits, margin = read_bits(m, frames)
    assert bits.shape == (9, 16)
    assert bits.dtype == torch.uint8
    assert set(bits.unique().tolist()) == {0, 1}
    assert margin.shape == (9,)
    assert margin.dtype == torch.float32
    assert (margin >= 0).all()
    assert not bits.requires_grad
    assert not margin.requires_grad
    assert len(torch.unique(bits, dim=0)) > 1


def test_reading_bits_does_not_touch_input_or_method(name):
    m = trained(name)
    frames = m.network_input(batch(name))
    kept, state = frames.clone(), {k: v.clone() for k, v in m.state_dict().items()}
    first = read_bits(m, frames)
    second = read_bits(m, frames)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert torch.equal(frames, kept)
    assert all(torch.equal(v, state[k]) for k, v in m.state_dict().items())


def test_a_permuted_batch_gives_permuted_codes(name):
    m = trained(name)
    frames = m.network_input(batch(name, 9))
    order = torch.tensor([3, 8, 0, 1, 7, 2, 6, 5, 4])
    for a, b in zip(read_bits(m, frames), read_bits(m, frames[:, order]), strict=True):
        assert torch.equal(a[order], b)


def test_batch_mates_do_not_matter(name):
    m = trained(name)
    frames = m.network_input(batch(name, 5))
    crowd = frames.clone()
    crowd[:, 1:] = 8
    alone = read_bits(m, frames[:, :1])
    for other in (frames, crowd):
        assert all(torch.equal(a[0], b[0]) for a, b in zip(read_bits(m, other), alone, strict=True))


def test_the_same_seed_gives_the_same_method_and_step(name):
    results = []
    for seed in (4, 4, 5):
        m = made(name, seed)
        loss = m(batch(name)).loss
        loss.backward()
        results.append([loss.detach(), *(p.grad for p in m.parameters()), *m.state_dict().values()])
    assert all(torch.equal(a, b) for a, b in zip(results[0], results[1], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(results[0], results[2], strict=True))
