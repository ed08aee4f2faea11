"""Losses of pairs of inputs against loops over numbers."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikinghash.losses.bit_activity import bit_balance, drive_margin, silent_pairs
from spikinghash.losses.nt_xent import nt_xent
from spikinghash.losses.quantisation import quantisation
from spikinghash.losses.rate_alignment import rate_alignment
from spikinghash.losses.relation import relation, shares_label
from spikinghash.losses.similarity_matching import cosines, similarity_matching
from spikinghash.losses.weighted_triplet import label_gain, weighted_triplet


def rows(B=6, K=5, seed=0):
    return torch.randn(B, K, generator=torch.Generator().manual_seed(seed))


def labels(B=6, C=4, seed=0):
    return (torch.rand(B, C, generator=torch.Generator().manual_seed(seed)) < 0.4).float()


def cosine(x, y):
    x, y = x.tolist(), y.tolist()
    return sum(p * q for p, q in zip(x, y, strict=True)) / (math.hypot(*x) * math.hypot(*y))


@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_nt_xent(temperature):
    a, b = rows(seed=1), rows(seed=2)
    both, B, total = [*a, *b], len(a), 0.0
    for i, x in enumerate(both):
        terms = {j: math.exp(cosine(x, y) / temperature) for j, y in enumerate(both) if j != i}
        total -= math.log(terms[(i + B) % (2 * B)] / sum(terms.values()))
    assert float(nt_xent(a, b, temperature)) == pytest.approx(total / (2 * B), rel=1e-5)


def test_nt_xent_of_rows_of_zeros_has_finite_gradients():
    a = torch.zeros(4, 3, requires_grad=True)
    nt_xent(a, rows(4, 3), 0.5).backward()
    assert torch.isfinite(a.grad).all()


@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_nt_xent_knows_neither_length_nor_order(seed, factor):
    a, b = rows(seed=seed), rows(seed=seed + 1)
    order = torch.randperm(len(a), generator=torch.Generator().manual_seed(seed))
    expected = float(nt_xent(a, b, 0.5))
    assert float(nt_xent(b[order] * factor, a[order], 0.5)) == pytest.approx(expected, rel=1e-4)


def test_bit_activity_by_hand():
    scores = torch.tensor([[1.0, 0.5], [-1.0, 0.5]])
    assert float(bit_balance(scores)) == pytest.approx((0 + 0.25) / 2)
    assert float(drive_margin(torch.tensor([[0.0, -0.25, 3.0, 0.5]]))) == pytest.approx((0.5 + 0.25) / 4)
    assert float(silent_pairs(torch.tensor([[0.0, 1.0, 4.0]]))) == pytest.approx(1 / 3)


def test_an_undecided_bit_is_pushed():
    """A margin on integer counts would leave it: its gradient is 0 everywhere."""
    drive = torch.tensor([[0.1, -0.1, 2.0]], requires_grad=True)
    drive_margin(drive).backward()
    assert drive.grad.sign().tolist() == [[-1, 1, 0]]


def test_rate_alignment():
    a, b = rows(seed=3), rows(seed=4)
    expected = sum((x - y) ** 2 for x, y in zip(a.flatten().tolist(), b.flatten().tolist(), strict=True)) / a.numel()
    assert float(rate_alignment(a, b)) == pytest.approx(expected, rel=1e-5)


def gains(targets):
    shared = [[int(x @ y) for y in targets] for x in targets]
    found = []
    for row in shared:
        ideal = sum((2**rel - 1) / math.log2(r + 2) for r, rel in enumerate(sorted(row, reverse=True)))
        found.append([(2**rel - 1) / ideal if rel else 0.0 for rel in row])
    return shared, found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("within", [True, False])
def test_weighted_triplet(seed, weighted, within):
    a, targets = rows(seed=seed), labels(seed=seed)
    b = a if within else rows(seed=seed + 9)
    shared, gain = gains(targets)
    active = []
    for i in range(6):
        for j in range(6):
            for k in range(6):
                if k == i or (within and j == i) or not shared[i][j] or shared[i][k]:
                    continue
                value = (1 - cosine(a[i], b[j])) - (1 - cosine(a[i], b[k])) + 0.4
                if value > 0:
                    active.append(value * (10 * gain[i][j] if weighted else 1))
    assert torch.allclose(label_gain(targets), torch.tensor(gain), atol=1e-6)
    expected = sum(active) / len(active)
    assert float(weighted_triplet(a, b, targets, within=within, weighted=weighted)) == pytest.approx(expected, rel=1e-4)


def test_no_triplet_no_loss():
    a = rows().requires_grad_(True)
    loss = weighted_triplet(a, rows(seed=1), torch.ones(6, 2), within=False)
    loss.backward()
    assert loss == 0
    assert a.grad.abs().sum() == 0


def test_relation():
    targets = torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    similarity = shares_label(targets)
    assert similarity.tolist() == [[1, 1, 1], [1, 1, 0], [1, 0, 1]]
    assert float(relation(torch.full((3, 3), 0.5), similarity)) == pytest.approx(0.25)
    assert float(relation(similarity, similarity)) == 0


def test_quantisation():
    a, b = torch.tensor([[0.5, -0.5]]), torch.tensor([[0.25, 0.5]])
    # codes: +1, and -1 where the sum is 0
    expected = ((0.5 - 1) ** 2 + (0.25 - 1) ** 2 + (-0.5 + 1) ** 2 + (0.5 + 1) ** 2) / 2
    assert float(quantisation(a, b)) == pytest.approx(expected)


def test_similarity_matching():
    a, b, s = rows(seed=7), rows(seed=8), rows(6, 6, seed=9)
    total = sum((cosine(a[i], b[j]) - float(s[i, j])) ** 2 for i in range(6) for j in range(6))
    assert float(similarity_matching(a, b, s)) == pytest.approx(total / 36, rel=1e-4)
    assert float(similarity_matching(a, a, cosines(a, 3 * a))) == pytest.approx(0, abs=1e-9)
