"""What every hashing method promises. A new method joins by a line in `SPECS`."""

import re

import pytest
import torch
from method_specs import ALL, SPECS, VECTOR_SPECS, batch, dataset, spec

from spikinghash.errors import ConfigError
from spikinghash.evaluation.energy import estimate_energy
from spikinghash.methods.bits import Bits
from spikinghash.methods.method import StepResult, build
from spikinghash.methods.registry import METHODS
from spikinghash.training.checkpoint import load_model, save_model
from spikinghash.training.hash_batch import hash_batch
from spikinghash.training.loop import TrainingData, run
from spikinghash.training.ray_trainer import Job, train_with_ray
from spikinghash.training.recipe import Recipe

OPTIONS = [{}, {"soft": True, "balance": False, "smoothing": 0.1}]


@pytest.fixture(params=ALL)
def name(request):
    return request.param


def made(name, seed=0, options=OPTIONS[0]):
    torch.manual_seed(seed)
    return build(ALL[name].changed(**options))


def trained(name):
    """A method that has seen data, so that its codes say something."""
    m = made(name)
    m.fit(dataset(name))
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
    assert {(s.method, s.variant) for s in ALL.values()} == {
        (method, variant) for method in all_methods() for variant in METHODS[method].variants
    }


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown method 'hash-net'; one of: .*spikinghash"):
        build(spec("hash-net", "Nano"))


def test_an_unknown_variant_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown variant '3d' of spikinghash; one of: full, 2d-swm"):
        build(spec("spikinghash", "Nano", variant="3d"))


@pytest.mark.parametrize("name", SPECS)
def test_an_unknown_size_is_refused(name):
    with pytest.raises(ConfigError, match="unknown size 'Giant'; one of: "):
        build(SPECS[name].changed(network_size="Giant"))


@pytest.mark.parametrize("name", SPECS)
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


@pytest.mark.parametrize("name", VECTOR_SPECS)
def test_steps_on_vectors(name):
    m = made(name).train()
    m.fit(dataset(name))
    if not list(m.parameters()):
        assert float(m(batch(name)).loss) == 0
        return
    optimiser, first = torch.optim.Adam(m.parameters(), lr=3e-3), None
    seen = set()
    for step in range(40):
        result = m(batch(name, 48, step))
        first = result.loss.detach() if first is None else first
        assert result.parts
        assert all(torch.isfinite(v) and not v.requires_grad for v in result.parts.values())
        optimiser.zero_grad()
        result.loss.backward()
        seen |= {key for key, p in m.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        assert all(p.grad is None or torch.isfinite(p.grad).all() for p in m.parameters())
        optimiser.step()
    assert result.loss < first
    # a bias before softmax-like comparisons may have no effect; a whole part without gradient would be left behind
    assert seen == {key for key, _ in m.named_parameters()}


@pytest.mark.parametrize("name", SPECS)
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
    assert set(codes) == set(ALL[name].inputs)
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
        m.fit(dataset(name))
        loss = m(batch(name)).loss
        if loss.requires_grad:
            loss.backward()
        gradients = [torch.zeros(0) if p.grad is None else p.grad for p in m.parameters()]
        results.append([loss.detach(), *gradients, *m.state_dict().values()])
    assert all(torch.equal(a, b) for a, b in zip(results[0], results[1], strict=True))
    if not list(m.parameters()):
        return  # their seeds are options of theirs
    assert not all(torch.equal(a, b) for a, b in zip(results[0], results[2], strict=True))


@pytest.mark.parametrize("name", VECTOR_SPECS)
def test_blocks_do_not_matter(name):
    m, inputs = trained(name), batch(name, 80, 3).inputs
    whole = hash_batch(m, inputs)
    for count in (1, 7, 64, 65):
        part = hash_batch(m, some(inputs, slice(5, 5 + count)))
        assert equal(part, {k: Bits(*(x[5 : 5 + count] for x in code)) for k, code in whole.items()}), count


@pytest.mark.parametrize("name", [n for n, s in VECTOR_SPECS.items() if len(s.inputs) > 1])
def test_a_single_code_depends_on_its_input_alone(name):
    m, inputs = trained(name), batch(name, 9).inputs
    if m.fuses == "must":
        with pytest.raises(ConfigError, match="together"):
            hash_batch(m, {"text": inputs["text"]})
        return
    single = hash_batch(m, {"text": inputs["text"]})
    assert set(single) == {"text"}
    if m.fuses == "never":
        assert equal(single, {"text": hash_batch(m, inputs)["text"]})


@pytest.mark.parametrize("name", VECTOR_SPECS)
def test_what_is_saved_gives_the_same_codes(name, tmp_path):
    m, inputs = trained(name), batch(name, 9).inputs
    save_model(tmp_path, ALL[name], m.network, {})
    assert equal(hash_batch(load_model(tmp_path).method, inputs), hash_batch(m, inputs))


@pytest.mark.parametrize("name", VECTOR_SPECS)
def test_energy_is_counted(name):
    m = trained(name)
    found = estimate_energy(m.network, batch(name, 9).inputs)
    assert found.total_pj > 0
    assert any(layer.spiking for layer in found.layers) == (ALL[name].method == "spikehash")


@pytest.mark.parametrize("name", VECTOR_SPECS)
def test_training_resumes_to_equal_weights(name, tmp_path):
    recipe = Recipe(epochs=4, batch=32, lr=1e-3, seed=3, optimiser="adam", checkpoint_every=2, select="last")

    def train(report, resume=None):
        m = made(name)
        run(m, TrainingData(dataset(name), dataset(name, 24, 1)), recipe, report, resume=resume)
        return m

    def keep(record, save):
        if record.epoch == 2:
            save(tmp_path)

    whole = train(keep)
    assert METHODS[ALL[name].method].closed_form == (not list(whole.parameters()))
    if not list(whole.parameters()):
        return
    again = train(lambda record, save: None, tmp_path)
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in whole.state_dict().items())


@pytest.mark.parametrize("name", [n for n, s in VECTOR_SPECS.items() if METHODS[s.method].alone])
def test_several_workers_are_refused_with_the_reason(name, tmp_path):
    job = Job("frames", "0" * 64, "out", ALL[name], Recipe(1, 32, 1e-3, 0), 2)
    with pytest.raises(ConfigError, match=r"train\.workers is 2, .* is trained by one: its loss compares all"):
        train_with_ray(job, tmp_path, threads=1)
