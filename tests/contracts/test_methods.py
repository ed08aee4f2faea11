"""What every hashing method promises. A new method joins by a line in `SPECS`."""

import re

import pytest
import torch
from method_specs import SPECS, batch, spec

from spikinghash.errors import ConfigError
from spikinghash.inference.hash_batch import hash_batch
from spikinghash.methods.bits import Bits
from spikinghash.methods.method import StepResult, build
from spikinghash.methods.registry import METHODS

OPTIONS = [{}, {"soft": True, "balance": False, "smoothing": 0.1}]


@pytest.fixture(params=SPECS)
def name(request):
    return request.param


def made(name, seed=0, options=OPTIONS[0]):
    torch.manual_seed(seed)
    return build(SPECS[name].changed(**options))


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
        build(spec("?", "?"))
    return re.split(", ", str(caught.value).split("one of: ")[1])


def test_every_method_is_tested():
    assert {(s.method, s.variant) for s in SPECS.values()} == {
        (method, variant) for method in all_methods() for variant in METHODS[method].variants
    }


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown method 'hash-net'; one of: .*spikinghash"):
        build(spec("hash-net", "Nano"))


def test_an_unknown_variant_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown variant '3d' of spikinghash; one of: full, 2d-swm"):
        build(spec("spikinghash", "Nano", variant="3d"))


def test_an_unknown_size_is_refused(name):
    with pytest.raises(ConfigError, match="unknown size 'Giant'; one of: "):
        build(SPECS[name].changed(network_size="Giant"))


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "soft"])
def test_one_training_step(name, options):
    m = made(name, options=options).train()
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


def some(inputs, rows):
    """Those samples of inputs as in a `Batch`."""
    return {name: x[:, rows] if x.dim() == 5 else x[rows] for name, x in inputs.items()}


def equal(codes, others):
    return codes.keys() == others.keys() and all(
        torch.equal(a, b) for name in codes for a, b in zip(codes[name], others[name], strict=True)
    )


def test_bits(name):
    m = trained(name)
    codes = hash_batch(m, batch(name, 9).inputs)
    assert set(codes) == set(SPECS[name].inputs)
    for bits, margin in codes.values():
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
    m, inputs = trained(name), batch(name).inputs
    kept, state = {k: x.clone() for k, x in inputs.items()}, {k: v.clone() for k, v in m.state_dict().items()}
    assert equal(hash_batch(m, inputs), hash_batch(m, inputs))
    assert all(torch.equal(x, kept[k]) for k, x in inputs.items())
    assert all(torch.equal(v, state[k]) for k, v in m.state_dict().items())


def test_a_permuted_batch_gives_permuted_codes(name):
    m, inputs = trained(name), batch(name, 9).inputs
    order = torch.tensor([3, 8, 0, 1, 7, 2, 6, 5, 4])
    expected = {k: Bits(*(x[order] for x in code)) for k, code in hash_batch(m, inputs).items()}
    assert equal(hash_batch(m, some(inputs, order)), expected)


def test_batch_mates_do_not_matter(name):
    m, inputs = trained(name), batch(name, 5).inputs
    crowd = {k: x.clone() for k, x in inputs.items()}
    for x in some(crowd, slice(1, None)).values():
        x.fill_(8)
    alone = hash_batch(m, some(inputs, slice(0, 1)))
    for other in (inputs, crowd):
        assert equal({k: Bits(*(x[:1] for x in code)) for k, code in hash_batch(m, other).items()}, alone)


def test_the_same_seed_gives_the_same_method_and_step(name):
    results = []
    for seed in (4, 4, 5):
        m = made(name, seed)
        loss = m(batch(name)).loss
        loss.backward()
        results.append([loss.detach(), *(p.grad for p in m.parameters()), *m.state_dict().values()])
    assert all(torch.equal(a, b) for a, b in zip(results[0], results[1], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(results[0], results[2], strict=True))
