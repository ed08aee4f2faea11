"""The score that selects an epoch."""

import pytest
import torch
from tiny_training import clips, dataset, method

from spikinghash.inference.read_bits import read_bits
from spikinghash.training.validation import leave_one_out_map, validate


def one_hot(labels):
    return torch.nn.functional.one_hot(labels).float()


def loops(bits, labels):
    total = 0.0
    for q in range(len(bits)):
        others = [i for i in range(len(bits)) if i != q]
        others.sort(key=lambda i: (int((bits[i] != bits[q]).sum()), i))
        hits, precisions = 0, []
        for rank, i in enumerate(others, 1):
            if labels[i] == labels[q]:
                hits += 1
                precisions.append(hits / rank)
        total += sum(precisions) / len(precisions) if precisions else 0.0
    return total / len(bits)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("bits", [4, 32])  # four bits: nearly every rank is a tie
def test_map_against_loops(seed, bits):
    g = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 2, (25, bits), generator=g).to(torch.uint8)
    labels = torch.randint(0, 4, (25,), generator=g)
    labels[0] = 9  # a class of its own
    assert leave_one_out_map(codes, one_hot(labels)) == pytest.approx(loops(codes, labels), abs=1e-12)


def test_map_of_perfect_and_of_reversed_codes():
    labels = torch.tensor([0, 0, 1, 1])
    assert leave_one_out_map(labels[:, None].repeat(1, 8), one_hot(labels)) == 1.0
    assert leave_one_out_map(torch.tensor([[0, 0], [1, 1], [0, 0], [1, 1]]), one_hot(labels)) == pytest.approx(
        1 / 3, abs=0.1
    )
    assert leave_one_out_map(torch.tensor([[1, 0]]), torch.ones(1, 1)) == 0.0


def test_samples_with_a_class_in_common_are_relevant():
    targets = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    codes = torch.tensor([[0, 0], [0, 1], [1, 1], [0, 0]])
    # the first finds the second behind the unlabelled one, the second both, the third the second, the last no one
    assert leave_one_out_map(codes, targets) == pytest.approx((1 / 2 + 1 + 1 + 0) / 4)


def test_validation_counts_dead_bits_and_distinct_codes():
    m = method().eval()
    frames, labels = clips(10, 3)
    bits, _ = read_bits(m, frames.transpose(0, 1))
    m.train()
    seen = validate(m, dataset(frames, labels), 4)
    assert m.training
    assert seen.distinct == len({tuple(row) for row in bits.tolist()}) / 10
    assert seen.dead_bits == sum(len(set(column)) == 1 for column in bits.T.tolist())
    assert seen.score == pytest.approx(loops(bits, labels))
    assert seen.rates["stages.0.0.entry"] > 0


def test_validation_changes_nothing():
    m = method()
    before = {k: v.clone() for k, v in m.state_dict().items()}
    validate(m, dataset(*clips(6, 3)), 4)
    assert all(torch.equal(v, before[k]) for k, v in m.state_dict().items())
