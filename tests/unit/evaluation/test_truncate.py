"""Codes cut to their first bits, against the definition of average precision over all orders of ties."""

import numpy as np
import pytest
from measured_cases import clips, measured
from ranking_cases import average_precision, orders

from spikinghash.codes.packing import unpack
from spikinghash.errors import ConfigError
from spikinghash.evaluation.truncate import first_bits, truncate

QUERIES, GALLERY = clips(5, "ab"), clips(7, "ab", start=100)


def slow_map(one, bits):
    """mAP, expected, worst and best, by trying every order of ties, query by query."""
    asked, there = (unpack(codes.codes)[:, :bits].tolist() for codes in (one.queries, one.gallery))
    parts = []
    for query, label in zip(asked, one.queries.labels, strict=True):
        distances = [sum(a != b for a, b in zip(query, other, strict=True)) for other in there]
        relevant = [other == label for other in one.gallery.labels]
        found = [average_precision([relevant[i] for i in order], len(there)) for order in orders(distances)]
        parts.append((np.mean(found), min(found), max(found)))
    return np.mean(parts, axis=0)


@pytest.mark.parametrize("seed", range(4))
def test_is_that_of_all_orders_of_shorter_codes(seed):
    one = measured("m", QUERIES, GALLERY, bits=40, flip=0.4, seed=seed)
    points = truncate(one, "zero")
    assert [point.bits for point in points] == [16, 32, 40]
    for point in points:
        np.testing.assert_allclose((point.map, point.worst, point.best), slow_map(one, point.bits), atol=1e-12)


def test_the_whole_code_is_what_the_gate_measured():
    one = measured("m", QUERIES, GALLERY, bits=64)
    last = truncate(one, "zero")[-1]
    assert (last.bits, last.map) == (64, pytest.approx(one.evidence.map))
    assert last.energy_pj == one.evidence.energy_pj


@pytest.mark.parametrize(
    ("bits", "lengths"), [(8, [8]), (16, [16]), (128, [16, 32, 48, 64, 128]), (256, [16, 32, 48, 64, 128, 256])]
)
def test_lengths_are_those_below_the_models_and_its_own(bits, lengths):
    assert [point.bits for point in truncate(measured("m", QUERIES, GALLERY, bits=bits), "zero")] == lengths


def test_only_the_hash_layers_share_of_energy_shrinks():
    one = measured("m", QUERIES, GALLERY, bits=64, energy_pj=100.0, hash_pj=8.0)
    assert [point.energy_pj for point in truncate(one, "zero")] == pytest.approx([94.0, 96.0, 98.0, 100.0])


def test_no_bits_are_made_up():
    one = measured("m", QUERIES, GALLERY, bits=16)
    with pytest.raises(ConfigError, match="no first 32"):
        first_bits(one.queries, 32)
