"""The share of ones per bit that a model keeps of its training codes."""

import pytest
import torch
from tiny_training import SPEC, awake, clips, data, recipe

from spikinghash.inference.read_bits import read_bits
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.training.bit_balance import share_of_ones, trained_ones
from spikinghash.training.checkpoint import load_model
from spikinghash.training.loop import run
from spikinghash.training.publish import publish


def test_a_published_model_knows_its_training_codes(tmp_path):
    d, method, r = data(16, 8), awake(), recipe(epochs=2)
    progress = run(method, d, r, lambda record, save: None, finish=lambda m: snap_to_grid(m.network, SPEC.input.levels))
    publish(tmp_path, SPEC, method, progress, r, [], d.train)
    loaded = load_model(tmp_path)
    # the saved model's own codes, in one block: batches change nothing
    bits, _ = read_bits(loaded.method, clips(16, 1)[0].transpose(0, 1))
    counted = [sum(column) / len(column) for column in bits.T.tolist()]
    assert trained_ones(loaded.card, SPEC.bits).tolist() == pytest.approx(counted, abs=1e-6)
    assert 0 < sum(counted) < SPEC.bits


def test_the_shares_are_counted_bit_by_bit():
    assert share_of_ones(torch.tensor([[1, 0, 1], [1, 0, 0], [1, 0, 0]], dtype=torch.uint8)) == [1.0, 0.0, 0.333333]


@pytest.mark.parametrize(
    "card",
    [
        {}, {"training": None}, {"training": {}}, {"training": {"bit_ones": [0.5]}},
        {"training": {"bit_ones": [0.5, 1.5]}}, {"training": {"bit_ones": ["a", "b"]}},
        {"training": {"bit_ones": [0.5, float("nan")]}},
    ],
)  # fmt: skip
def test_an_older_or_damaged_card_knows_none(card):
    assert trained_ones(card, 2) is None
    assert trained_ones({"training": {"bit_ones": [0.5, 1]}}, 2).tolist() == [0.5, 1.0]
