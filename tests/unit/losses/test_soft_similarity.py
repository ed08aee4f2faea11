"""The dynamic soft similarity of eqs. 19-21 against loops, and its schedule."""

import math

import pytest
import torch

from spikinghash.losses.soft_similarity import ROUNDS, SoftSimilarity

CLASSES = 5
SCHEDULE = {0.25: 0.88, 0.35: 0.75, 0.45: 0.625, 0.55: 0.5, 0.65: 0.375, 0.75: 0.25, 0.85: 0.12, 0.95: 0.0}


def batches(count=4, B=9, K=6, classes=CLASSES, seed=0):
    g = torch.Generator().manual_seed(seed)
    for _ in range(count):
        yield (
            torch.randn(B, K, generator=g),
            torch.randint(0, classes, (B,), generator=g),
            torch.rand(B, generator=g) < 0.7,
        )


def loops(data):
    """Eq. 19 as written, both orders of every pair; eq. 20 with tau = 1e-4."""
    s = [[0.0] * CLASSES for _ in range(CLASSES)]
    k = [[0] * CLASSES for _ in range(CLASSES)]
    for membrane, labels, correct in data:
        for i in range(len(labels)):
            for j in range(i + 1, len(labels)):
                if not (correct[i] and correct[j]):
                    continue
                h, g = membrane[i].tolist(), membrane[j].tolist()
                r = sum(a * b for a, b in zip(h, g, strict=True)) / (math.hypot(*h) * math.hypot(*g))
                for a, b in ((labels[i], labels[j]), (labels[j], labels[i])):
                    s[a][b] += r
                    k[a][b] += 1
    soft = torch.eye(CLASSES)
    for a in range(CLASSES):
        for b in range(CLASSES):
            if a != b and k[a][b]:
                mean = s[a][b] / k[a][b]
                soft[a, b] = mean if mean > 1e-4 else 0.0
    return soft


@pytest.mark.parametrize("seed", range(4))
def test_a_round_against_loops(seed):
    soft = SoftSimilarity(CLASSES)
    for batch in batches(seed=seed):
        soft.accumulate(*batch)
    soft.end_epoch(0.25)
    expected = loops(batches(seed=seed))
    assert ((expected > 0) & (expected < 1)).any()
    assert torch.allclose(soft.soft, expected, atol=1e-6)
    assert torch.allclose(soft.similarity, 0.88 * torch.eye(CLASSES) + 0.12 * expected, atol=1e-6)


def test_unseen_pairs_keep_their_hard_value_and_the_diagonal_stays_one():
    soft = SoftSimilarity(CLASSES)
    membrane = torch.tensor([[1.0, 0.0], [1.0, 1.0], [-1.0, 0.5]])
    soft.accumulate(membrane, torch.tensor([0, 1, 1]), torch.ones(3).bool())
    soft.end_epoch(1.0)
    s = soft.similarity
    assert torch.equal(s.diagonal(), torch.ones(CLASSES))
    assert torch.equal(s, s.T)
    assert s[2:, :2].abs().sum() == 0
    assert not torch.isnan(s).any()


def test_negative_similarities_are_filtered():
    soft = SoftSimilarity(2)
    soft.accumulate(torch.tensor([[1.0, 0.0], [-1.0, 0.1]]), torch.tensor([0, 1]), torch.ones(2).bool())
    soft.end_epoch(1.0)
    assert torch.equal(soft.similarity, torch.eye(2))


def test_wrongly_classified_clips_teach_nothing():
    soft = SoftSimilarity(2)
    soft.accumulate(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]), torch.tensor([True, False, False, False]))
    soft.accumulate(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]), torch.zeros(4).bool())
    assert soft.count.sum() == 0
    soft.end_epoch(1.0)
    assert torch.equal(soft.similarity, torch.eye(2))


def test_a_silent_membrane_is_not_a_number_free():
    soft = SoftSimilarity(2)
    soft.accumulate(torch.zeros(4, 3), torch.tensor([0, 1, 0, 1]), torch.ones(4).bool())
    soft.end_epoch(1.0)
    assert torch.equal(soft.similarity, torch.eye(2))


@pytest.mark.parametrize("epochs", [20, 24, 100, 200])
def test_the_schedule(epochs):
    assert dict(ROUNDS) == SCHEDULE
    soft = SoftSimilarity(2)
    for epoch in range(1, epochs + 1):
        soft.accumulate(torch.ones(2, 3), torch.tensor([0, 1]), torch.ones(2).bool())
        soft.end_epoch(epoch / epochs)
        ended = [weight for end, weight in SCHEDULE.items() if epoch >= end * epochs - 1e-6]
        assert float(soft.hard_weight) == pytest.approx(ended[-1] if ended else 1.0)
        first = not ended
        assert float(soft.similarity[0, 1]) == pytest.approx(0.0 if first else 1.0 - ended[-1])
    assert soft.count.sum() == 0


def test_a_round_starts_again_from_zero():
    soft = SoftSimilarity(2)
    labels, right = torch.tensor([0, 1]), torch.ones(2).bool()
    soft.accumulate(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), labels, right)
    soft.end_epoch(0.30)
    assert soft.soft[0, 1] == 1
    soft.accumulate(torch.tensor([[1.0, 0.0], [0.6, 0.8]]), labels, right)
    soft.end_epoch(0.32)  # no round ends here
    assert soft.soft[0, 1] == 1
    assert soft.count.sum() == 2
    soft.end_epoch(0.35)
    assert float(soft.soft[0, 1]) == pytest.approx(0.6)


def test_every_epoch_is_a_round_at_the_end():
    soft = SoftSimilarity(2)
    labels, right = torch.tensor([0, 1]), torch.ones(2).bool()
    for done, cosine in ((0.95, 0.3), (0.96, 0.6), (1.0, 0.9)):
        soft.accumulate(torch.tensor([[1.0, 0.0], [cosine, math.sqrt(1 - cosine**2)]]), labels, right)
        soft.end_epoch(done)
        assert float(soft.similarity[0, 1]) == pytest.approx(cosine, abs=1e-6)


def test_pairs_of_a_batch():
    soft = SoftSimilarity(3)
    soft.soft.copy_(torch.tensor([[1.0, 0.5, 0.0], [0.5, 1.0, 0.25], [0.0, 0.25, 1.0]]))
    soft.hard_weight.fill_(0.5)
    labels = [2, 0, 1, 1]
    m = soft.pairs(torch.tensor(labels))
    for i, a in enumerate(labels):
        for j, b in enumerate(labels):
            assert float(m[i, j]) == pytest.approx(0.5 * (a == b) + 0.5 * float(soft.soft[a, b]))
