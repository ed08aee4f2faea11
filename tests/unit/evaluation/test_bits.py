"""Bit health and neighbour confusion, by literal cases and numpy oracles."""

import json

import numpy as np
import pytest

from spikinghash.codes.packing import pack
from spikinghash.errors import ConfigError
from spikinghash.evaluation import bits as bits_module
from spikinghash.evaluation.bits import bit_health
from spikinghash.evaluation.neighbours import neighbour_confusion


def test_a_literal_code_set():
    #: bit 0 and its complement bit 1, dead bits 2 (ones) and 3 (zeros), bit 4 a quarter, the rest dead
    bits = np.zeros((4, 8), np.uint8)
    bits[:, 0] = [0, 0, 1, 1]
    bits[:, 1] = [1, 1, 0, 0]
    bits[:, 2] = 1
    bits[:, 4] = [1, 0, 0, 0]
    health = bit_health(pack(bits))
    assert health.ones.tolist() == [0.5, 0.5, 1, 0, 0.25, 0, 0, 0]
    assert health.dead == (2, 3, 5, 6, 7)
    np.testing.assert_allclose(health.entropy[:5], [1, 1, 0, 0, 0.811278], atol=1e-6)
    assert health.correlation == pytest.approx(np.mean([1, 1 / np.sqrt(3), 1 / np.sqrt(3)]))
    assert health.distinct == 3 / 4
    assert json.loads(json.dumps(health.to_dict()))["dead"] == [2, 3, 5, 6, 7]


def test_equals_numpy_block_by_block(monkeypatch):
    monkeypatch.setattr(bits_module, "_ROWS_AT_ONCE", 37)
    bits = np.random.default_rng(0).integers(0, 2, (500, 24), dtype=np.uint8)
    health = bit_health(pack(bits))
    correlation = np.abs(np.corrcoef(bits.T))
    np.testing.assert_allclose(health.ones, bits.mean(axis=0))
    assert health.correlation == pytest.approx(correlation[~np.eye(24, dtype=bool)].mean())


def test_identical_codes_have_no_correlation_to_speak_of():
    health = bit_health(np.full((5, 2), 7, np.uint8))
    assert health.correlation is None
    assert health.distinct == 1 / 5
    assert len(health.dead) == 16


def test_no_codes_no_health():
    with pytest.raises(ConfigError):
        bit_health(np.zeros((0, 2), np.uint8))


def test_confusion_counts_classes_of_neighbours():
    confusion = neighbour_confusion(["dog", "cat", None], ["cat", "dog", None], np.array([[0, 1], [0, 2], [0, 1]]))
    assert confusion.labels == ("cat", "dog")
    assert confusion.counts.tolist() == [[1, 0], [1, 1]]
    assert confusion.unlabelled == 3
    assert json.loads(json.dumps(confusion.to_dict()))["protocol"]["k"] == 2


def test_confusion_of_nothing_known_is_empty():
    assert neighbour_confusion([None], [None], np.array([[0]])).counts.shape == (0, 0)


@pytest.mark.parametrize("positions", [np.array([[3]]), np.array([[-1]]), np.array([0]), np.array([[0], [0]])])
def test_positions_that_do_not_fit_are_refused(positions):
    with pytest.raises(ConfigError):
        neighbour_confusion(["cat"], ["cat", "dog"], positions)
