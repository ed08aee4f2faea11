"""SpikeHash at its public edge, and its parts against loops over neurons."""

import math

import numpy as np
import pytest
import torch
from pair_set import WIDTHS, batch_of, features, pair_set, partner_rank, trained
from torch import nn

from spikinghash.errors import ConfigError
from spikinghash.methods.spikehash.method import spikehash
from spikinghash.methods.spikehash.options import VARIANTS, SpikeHashOptions
from spikinghash.methods.spikehash.readout import PositiveNegativeReadout
from spikinghash.methods.spikehash.shared_state import SharedHashState

SMALL = {"width": 32, "state": 24, "teacher": 0.0, "input_dropout": 0.0}


def small(variant="full", bits=16, seed=0, **changes):
    torch.manual_seed(seed)
    method = spikehash(WIDTHS, bits, 1, SpikeHashOptions(**(SMALL | changes)), variant)
    method.fit(pair_set())
    return method


def inputs(rows=12, seed=3):
    return {name: torch.from_numpy(x) for name, x in features(rows, seed)[1].items()}


def test_the_shared_state_step_by_step():
    torch.manual_seed(0)
    module = SharedHashState(["image", "text"], 6, 5, 0.5, "atan")
    spikes = {n: (torch.rand(4, 3, 6) < 0.5).float() for n in ("image", "text")}
    leak, states = 0.5, []
    v, h = np.zeros((3, 5)), np.zeros((3, 5))
    for t in range(4):
        u = sum(module.project[n](spikes[n][t]).detach().numpy() for n in spikes) + h
        v = v + (u - v) * leak
        h = (v >= 0.5).astype(float)
        v = np.where(h > 0, 0, v)
        states.append(h)
    assert 0 < np.mean(states) < 1
    gate = module.widen(torch.tensor(np.stack(states)).float())
    for name, found in module(spikes).items():
        assert torch.allclose(found, spikes[name] * (1 + gate), atol=1e-6)


def test_bits_by_counts_and_ties_by_drive():
    torch.manual_seed(1)
    head = PositiveNegativeReadout(8, 6, 0.5, "atan")
    spikes = (torch.rand(4, 40, 8) < 0.5).float()
    found = head(spikes)
    current = head.project(spikes).detach().numpy()
    v, counts = np.zeros_like(current[0]), np.zeros_like(current[0])
    for step in current:
        v = v + (step - v) / 2
        counts += v >= 0.5
        v = np.where(v >= 0.5, 0, v)
    score = (counts[:, :6] - counts[:, 6:]) / 4
    drive = current.mean(0)[:, :6] - current.mean(0)[:, 6:]
    assert np.allclose(found.score.detach(), score)
    assert np.allclose(found.fired.detach(), counts[:, :6] + counts[:, 6:])
    decided = found.decided.numpy()
    tied = score == 0
    assert 0.05 < tied.mean() < 0.95
    assert (decided[tied] * drive[tied] > 0).all()
    assert (decided[~tied] == score[~tied]).all()
    assert np.abs(decided[tied]).max() <= 1 / 8


@pytest.mark.parametrize("given", ["image", "text"])
def test_a_single_code_knows_nothing_of_the_other_modality(given):
    method = small().eval()
    before = method.hash({given: inputs()[given]})[given]
    other = "text" if given == "image" else "image"
    with torch.no_grad():
        for name, value in [*method.network.named_parameters(), *method.network.named_buffers()]:
            if other in name.split("."):
                value.add_(3.0)
    after = method.hash({given: inputs()[given]})
    assert list(after) == [given]
    assert torch.equal(before.bits, after[given].bits)
    assert torch.equal(before.margin, after[given].margin)


def test_a_paired_code_depends_on_both():
    method, x = small().eval(), inputs()
    other = inputs(seed=4)["text"]
    both = method.hash(x)["image"].bits
    assert not torch.equal(both, method.hash({"image": x["image"], "text": other})["image"].bits)
    assert not torch.equal(both, method.hash({"image": x["image"]})["image"].bits)


@pytest.mark.parametrize("variant", ["no-sshse", "no-cmsgi"])
def test_pairs_still_meet_in_the_other_part(variant):
    method, x = small(variant).eval(), inputs()
    both, alone = method.hash(x)["image"].bits, method.hash({"image": x["image"]})["image"].bits
    assert not torch.equal(both, alone)


def test_rows_do_not_see_each_other():
    method, x = small().eval(), inputs(64)
    whole = method.hash(x)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    turned = method.hash({name: values[order] for name, values in x.items()})
    for name in x:
        assert torch.equal(whole[name].bits[order], turned[name].bits)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dropout", [0.0, 1.0])
def test_every_variant_learns_without_labels(variant, dropout):
    method = small(variant, modality_dropout=dropout, mid=0.5, teacher=0.5)
    method.train()
    result = method(batch_of(pair_set(), list(range(64))))
    result.loss.backward()
    silent = {name for name, p in method.network.named_parameters() if p.grad is None or not p.grad.abs().sum()}
    # alone, no input gates another
    assert not {name for name in silent if not (dropout and name.startswith("interact.gates"))}
    losses = trained(method, pair_set(), 12)
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_each_term_is_in_the_loss_but_where_it_is_left_out():
    batch = batch_of(pair_set(), list(range(32)))
    weights = {"contrastive": 1.0, "bit_activity": 0.2, "rate_alignment": 0.01, "contrastive_mid": 0.5, "teacher": 2.0}
    variants = {
        "full": None,
        "no-contrastive": "contrastive",
        "no-bar": "bit_activity",
        "no-sral": "rate_alignment",
        "no-teacher": "teacher",
    }
    for variant, without in variants.items():
        result = small(variant, modality_dropout=0.0, mid=0.5, teacher=2.0)(batch)
        expected = sum(w * float(result.parts[name]) for name, w in weights.items() if name != without)
        assert float(result.loss.detach()) == pytest.approx(expected, rel=1e-5)


def test_training_brings_partners_together_and_says_how_often_counts_tie():
    method = small(seed=1)
    before = partner_rank(method.eval())
    trained(method, pair_set(400), 80)
    assert partner_rank(method) < 0.2 < 0.35 < before
    parts = method(batch_of(pair_set(), list(range(64)))).parts
    assert 0 <= float(parts["tie_share"]) < 1
    assert 0.3 < float(parts["bits_on"]) < 0.7


def test_the_teacher_sees_whole_pairs_and_no_code_needs_it():
    method, x = small(teacher=1.0).eval(), inputs()
    before, similarity = method.hash(x)["text"].bits, method._similarity(x)
    assert not torch.allclose(similarity, method._similarity(x | {"image": inputs(seed=4)["image"]}))
    method.fit(pair_set(seed=8))
    assert not any("teacher" in name for name in method.network.state_dict())
    method.network.load_state_dict(small(teacher=1.0).network.state_dict())
    assert torch.equal(before, method.hash(x)["text"].bits)


def test_standardisation_is_that_of_the_training_rows_and_saved():
    method, train = small(), pair_set()
    for name, module in method.network.standardise.items():
        x = train.fields[name].samples.values
        assert np.allclose(module.mean, x.mean(0), atol=1e-4)
        assert np.allclose(module.deviation, x.std(0), atol=1e-4)
        assert f"standardise.{name}.mean" in method.network.state_dict()


def linear_macs(network):
    return sum(m.weight.numel() for m in network.modules() if isinstance(m, nn.Linear))


@pytest.mark.parametrize(
    ("bits", "parameters", "macs"), [(16, 1.876e6, 7.48e6), (64, 1.975e6, 7.87e6), (128, 2.106e6, 8.39e6)]
)
def test_size_and_operations_of_the_paper(bits, parameters, macs):
    """Published at 128 bits, inputs of 512 and 4 steps: 2.19 M parameters, 8.53 M operations."""
    network = spikehash({"image": 512, "text": 512}, bits, 1, SpikeHashOptions(), "full").network
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(parameters, rel=1e-3)
    assert 4 * linear_macs(network) == pytest.approx(macs, rel=1e-2)
    if bits == 128:
        assert sum(p.numel() for p in network.parameters()) == pytest.approx(2.19e6, rel=0.05)
        assert 4 * linear_macs(network) == pytest.approx(8.53e6, rel=0.05)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: spikehash({"image": 4}, 8, 1, SpikeHashOptions(), "full"), "two modalities"),
        (lambda: spikehash(WIDTHS, 8, 1, SpikeHashOptions(), "half"), "unknown variant 'half'"),
        (lambda: spikehash(WIDTHS, 8, 1, SpikeHashOptions(surrogate="step"), "full"), "unknown surrogate"),
        (lambda: SpikeHashOptions(steps=0), "at least 1"),
        (lambda: SpikeHashOptions(temperature=0.0), "above 0"),
        (lambda: SpikeHashOptions(input_dropout=1.0), "below 1"),
        (lambda: SpikeHashOptions(bar=-1.0), "at least 0"),
    ],
)
def test_what_cannot_be_is_one_line(make, words):
    with pytest.raises(ConfigError, match=words):
        make()


def test_a_threshold_that_nothing_reaches_ties_everywhere():
    method = small(v_th=50.0).eval()
    parts = method(batch_of(pair_set(), list(range(32)))).parts
    assert float(parts["tie_share"]) == 1
    assert math.isfinite(float(parts["contrastive"]))
