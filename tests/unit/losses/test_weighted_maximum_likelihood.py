"""The likelihood against a bank, beside a loop over its pairs."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikinghash.losses.weighted_maximum_likelihood import weighted_maximum_likelihood


def case(seed=0, B=5, M=9, K=6, C=4):
    g = torch.Generator().manual_seed(seed)
    scores, bank = (torch.rand(n, K, generator=g) * 2 - 1 for n in (B, M))
    targets, bank_targets = ((torch.rand(n, C, generator=g) < 0.4).float() for n in (B, M))
    return scores, targets, bank, bank_targets


def oracle(scores, targets, bank, bank_targets, alpha):
    """S / S1 and S / S0 as they are written, over S."""
    sums, counts = {0: 0.0, 1: 0.0}, {0: 0, 1: 0}
    for u, y in zip(scores.tolist(), targets.tolist(), strict=True):
        for v, z in zip(bank.tolist(), bank_targets.tolist(), strict=True):
            s = int(any(a and b for a, b in zip(y, z, strict=True)))
            theta = alpha * sum(a * b for a, b in zip(u, v, strict=True))
            sums[s] += math.log1p(math.exp(theta)) - s * theta
            counts[s] += 1
    whole = counts[0] + counts[1]
    return sum(whole / counts[s] * sums[s] for s in (0, 1) if counts[s]) / whole


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_a_loop_over_pairs(seed, alpha):
    given = case(seed)
    assert float(weighted_maximum_likelihood(*given, alpha)) == pytest.approx(oracle(*given, alpha), rel=1e-5)


@pytest.mark.parametrize("same", [True, False])
def test_pairs_of_one_kind_alone(same):
    scores, targets, bank, bank_targets = case()
    targets, bank_targets = torch.ones_like(targets), torch.full_like(bank_targets, float(same))
    found = weighted_maximum_likelihood(scores, targets, bank, bank_targets)
    assert float(found) == pytest.approx(oracle(scores, targets, bank, bank_targets, 0.5), rel=1e-5)


def test_an_empty_bank_is_no_loss_and_no_nan():
    scores, targets, bank, bank_targets = case()
    scores.requires_grad_()
    found = weighted_maximum_likelihood(scores, targets, bank[:0], bank_targets[:0])
    found.backward()
    assert float(found.detach()) == 0
    assert not scores.grad.abs().sum()


def test_long_codes_and_autocast_stay_finite_and_float32():
    scores, targets, bank, bank_targets = case(K=2048)
    with torch.autocast("cpu", torch.bfloat16):
        found = weighted_maximum_likelihood(scores.sign(), targets, bank.sign(), bank_targets, 10.0)
    assert found.dtype == torch.float32
    assert torch.isfinite(found)
    exact = weighted_maximum_likelihood(scores.sign(), targets, bank.sign(), bank_targets, 10.0)
    assert torch.equal(found, exact)


@given(st.integers(0, 1000))
def test_neither_order_nor_repetition_of_the_bank_matters(seed):
    scores, targets, bank, bank_targets = case(seed)
    expected = float(weighted_maximum_likelihood(scores, targets, bank, bank_targets))
    order = torch.randperm(len(bank), generator=torch.Generator().manual_seed(seed)).repeat(2)
    assert float(weighted_maximum_likelihood(scores, targets, bank[order], bank_targets[order])) == pytest.approx(
        expected, rel=1e-5
    )
