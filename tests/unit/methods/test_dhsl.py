"""DHSL and the contrastive network at their public edge."""

import numpy as np
import pytest
import torch
from pair_set import CLASSES, WIDTHS, batch_of, features, pair_set, partner_rank, trained

from spikinghash.errors import ConfigError
from spikinghash.methods.contrastive import ContrastiveOptions, contrastive
from spikinghash.methods.dhsl.feature_selector import FeatureSelector
from spikinghash.methods.dhsl.method import dhsl
from spikinghash.methods.dhsl.options import VARIANTS, DhslOptions
from spikinghash.methods.dhsl.relation_network import RelationNetwork

SMALL = {"hidden": 32, "low": 16, "selected": 16, "relation_hidden": 16}


def small(variant="full", bits=16, **changes):
    torch.manual_seed(0)
    method = dhsl(WIDTHS, bits, CLASSES, DhslOptions(**(SMALL | changes)), variant)
    method.fit(pair_set())
    return method


def without_spikes(**changes):
    torch.manual_seed(0)
    method = contrastive(WIDTHS, 16, 1, ContrastiveOptions(width=32, **changes), "full")
    method.fit(pair_set())
    return method


def inputs(rows=64, seed=3):
    return {name: torch.from_numpy(x) for name, x in features(rows, seed)[1].items()}


def test_the_relation_network_on_pairs_side_by_side():
    torch.manual_seed(0)
    module = RelationNetwork(4, 6).eval()
    a, b = torch.randn(3, 4), torch.randn(3, 4)
    weight = torch.cat([module.first.weight, module.second.weight], 1)
    for i in range(3):
        for j in range(3):
            layer = torch.nn.functional.linear(torch.cat([a[i], b[j]]), weight, module.second.bias)
            assert torch.allclose(module(a, b)[i, j], module.rest(layer[None])[0, 0], atol=1e-6)


def test_the_selector_keeps_the_largest_of_either_sign():
    torch.manual_seed(0)
    module = FeatureSelector(40, 5).eval()
    x = torch.randn(7, 40)
    gated = (module.gate(x).sigmoid() * x).detach()
    expected = torch.zeros_like(gated)
    for i, row in enumerate(gated):
        for k in sorted(range(40), key=lambda k, row=row: -abs(float(row[k])))[:10]:
            expected[i, k] = row[k]
    assert (expected < 0).any()
    assert torch.allclose(module(x), module.embed(expected), atol=1e-6)


def test_the_selector_teaches_features_that_it_left_out():
    module = FeatureSelector(40, 5)
    x = torch.randn(7, 40, requires_grad=True)
    module(x).square().sum().backward()
    assert (x.grad != 0).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_learns(variant):
    method = small(variant, similarity=0.5).train()
    result = method(batch_of(pair_set(), list(range(64)), labels=True))
    result.loss.backward()
    assert not [name for name, p in method.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    missing = {"no-relation": "relation", "no-quantisation": "quantisation"}.get(variant)
    assert {"triplet", "relation", "quantisation"} - set(result.parts) == ({missing} if missing else set())
    losses = trained(method, pair_set(), 15, labels=True)
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_each_term_is_in_the_loss():
    result = small(similarity=0.5)(batch_of(pair_set(), list(range(64)), labels=True))
    parts = {name: float(part) for name, part in result.parts.items()}
    expected = parts["triplet"] + parts["relation"] + 0.1 * parts["quantisation"] + 0.5 * parts["similarity"]
    assert float(result.loss.detach()) == pytest.approx(expected, rel=1e-5)


def test_codes_are_nearer_where_labels_are_shared():
    method, train = small(), pair_set(400)
    trained(method, train, 60, labels=True)
    x, targets = inputs(100, 7), pair_set(100, 7).labels.targets()
    a, b = (one.bits.float() for one in method.hash(x).values())
    distance, shared = torch.cdist(a, b, p=1), targets @ targets.T > 0
    assert distance[shared].mean() < 0.8 * distance[~shared].mean()


@pytest.mark.parametrize("make", [small, without_spikes])
def test_codes_come_from_one_input_and_one_row(make):
    method, x = make().eval(), inputs()
    whole = method.hash(x)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    for name, values in x.items():
        assert torch.equal(whole[name].bits, method.hash({name: values})[name].bits)
        assert torch.equal(whole[name].bits[order], method.hash({name: values[order]})[name].bits)
        assert whole[name].bits.dtype == torch.uint8
        assert (whole[name].margin >= 0).all()


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_contrastive_network_brings_partners_together(dropout):
    method = without_spikes(input_dropout=dropout)
    before = partner_rank(method.eval())
    trained(method, pair_set(400), 80)
    assert partner_rank(method) < 0.1 < before


@pytest.mark.parametrize("make", [small, without_spikes])
def test_an_input_of_another_name_is_refused(make):
    with pytest.raises(ConfigError, match="takes image or text, not events"):
        make().hash({"events": torch.zeros(2, 1, 2, 4, 4)})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: dhsl({"image": 4}, 8, 1, DhslOptions(), "full"), "two modalities"),
        (lambda: dhsl(WIDTHS, 8, 1, DhslOptions(), "half"), "unknown variant 'half'"),
        (lambda: DhslOptions(hidden=0), "at least 1"),
        (lambda: DhslOptions(relation=-1.0), "at least 0"),
        (lambda: small()(batch_of(pair_set(), [0, 1])), "learns from labels"),
        (lambda: contrastive({"image": 4}, 8, 1, ContrastiveOptions(), "full"), "two modalities"),
        (lambda: ContrastiveOptions(temperature=0.0), "above 0"),
    ],
)
def test_what_cannot_be_is_one_line(make, words):
    with pytest.raises(ConfigError, match=words):
        make()
