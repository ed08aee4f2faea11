"""Losses of eqs. 22 and 23 against loops."""

import math

import numpy as np
import pytest
import torch

from spikinghash.losses.classification import classification
from spikinghash.losses.pairwise_likelihood import hard_similarity, pairwise_likelihood


def example(B=7, K=16, seed=0):
    g = torch.Generator().manual_seed(seed)
    codes = torch.where(torch.rand(B, K, generator=g) < 0.5, -1.0, 1.0)
    labels = torch.randint(0, 3, (B,), generator=g)
    return codes, labels, torch.rand(B, B, generator=g)


def term(codes, similarity, i, j):
    """-log p(m' | b_i, b_j) with p = sigmoid(Omega), first line of eq. 22."""
    omega = 0.5 * float(codes[i].double() @ codes[j].double())
    p = 1.0 / (1.0 + math.exp(-omega))
    m = float(similarity[i, j])
    return -(m * math.log(p) + (1.0 - m) * math.log(1.0 - p))


def pairs(B):
    return [(i, j) for i in range(B) for j in range(i + 1, B)]


def test_hard_similarity():
    assert hard_similarity(torch.tensor([2, 0, 2])).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


@pytest.mark.parametrize("seed", range(5))
def test_eq_22_as_a_mean_over_pairs(seed):
    codes, labels, soft = example(seed=seed)
    for similarity in (hard_similarity(labels), soft):
        expected = np.mean([term(codes, similarity, i, j) for i, j in pairs(len(codes))])
        assert float(pairwise_likelihood(codes, similarity)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_balanced_eq_22_weighs_both_kinds_of_pairs_equally(seed):
    codes, labels, soft = example(seed=seed)
    same = hard_similarity(labels).bool()
    groups = {True: [], False: []}
    for i, j in pairs(len(codes)):
        groups[bool(same[i, j])].append(term(codes, soft, i, j))
    # released form: weights S/S1 and S/S0, then the mean over all pairs
    expected = np.mean(groups[True]) + np.mean(groups[False])
    assert float(pairwise_likelihood(codes, soft, same=same)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_balancing_with_one_kind_of_pair_missing(labels):
    codes = example(B=3)[0]
    similarity = hard_similarity(torch.tensor(labels))
    loss = float(pairwise_likelihood(codes, similarity, same=similarity.bool()))
    assert loss == pytest.approx(np.mean([term(codes, similarity, i, j) for i, j in pairs(3)]), rel=1e-5)


@pytest.mark.parametrize("balance", [False, True])
def test_a_single_clip_has_no_pairs(balance):
    codes = torch.ones(1, 8, requires_grad=True)
    loss = pairwise_likelihood(codes, torch.ones(1, 1), same=torch.ones(1, 1).bool() if balance else None)
    loss.backward()
    assert loss == 0
    assert codes.grad.abs().sum() == 0


def test_long_codes_do_not_overflow():
    """log(1 + exp(x)) is infinite in float32 above 88.7; Omega of 1024 equal bits is 512."""
    codes = torch.ones(2, 1024, requires_grad=True)
    loss = pairwise_likelihood(codes, torch.zeros(2, 2))
    loss.backward()
    assert float(loss.detach()) == 512.0
    assert torch.allclose(codes.grad, torch.full_like(codes, 0.5))
    assert float(pairwise_likelihood(codes.detach(), torch.ones(2, 2))) == 0.0


@pytest.mark.parametrize("balance", [False, True])
def test_gradients_by_hand(balance):
    """d term / d b_i = (sigmoid(Omega) - m') * b_j / 2."""
    codes, labels, soft = example()
    codes = codes.double().requires_grad_(True)
    same = hard_similarity(labels).bool()
    pairwise_likelihood(codes, soft, same=same if balance else None).backward()
    counts = {kind: sum(bool(same[i, j]) == kind for i, j in pairs(len(codes))) for kind in (True, False)}
    expected = torch.zeros_like(codes)
    for i, j in pairs(len(codes)):
        b = codes.detach()
        pull = torch.sigmoid(0.5 * b[i] @ b[j]) - soft[i, j].double()
        weight = 1.0 / counts[bool(same[i, j])] if balance else 1.0 / len(pairs(len(codes)))
        expected[i] += weight * pull * 0.5 * b[j]
        expected[j] += weight * pull * 0.5 * b[i]
    assert torch.allclose(codes.grad, expected, rtol=1e-6, atol=1e-9)


def test_agreeing_codes_cost_less():
    codes, labels, _ = example(K=64)
    similarity = hard_similarity(labels)
    prototypes = torch.where(torch.rand(3, 64, generator=torch.Generator().manual_seed(1)) < 0.5, -1.0, 1.0)
    good = pairwise_likelihood(prototypes[labels], similarity)
    assert good < pairwise_likelihood(codes, similarity)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_eq_23(smoothing):
    g = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(6, 4, generator=g), torch.randint(0, 4, (6,), generator=g)
    total = 0.0
    for row, label in zip(logits.double().tolist(), labels.tolist(), strict=True):
        whole = sum(math.exp(v) for v in row)
        for c, v in enumerate(row):
            target = (1.0 - smoothing) * (c == label) + smoothing / 4
            total -= target * math.log(math.exp(v) / whole)
    assert float(classification(logits, labels, smoothing)) == pytest.approx(total / 6, rel=1e-5)
