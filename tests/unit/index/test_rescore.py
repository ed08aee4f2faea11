"""Ranking once more by real scores, against one sum a clip."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from spikinghash.codes.packing import pack
from spikinghash.index.rescore import rescored


def answer(bits, distances):
    ids = [f"clip-{i:03d}" for i in range(len(bits))]
    codes = [code.tobytes() for code in pack(np.array(bits, np.uint8))]
    return pa.table({"clip_id": ids, "distance": distances, "code": pa.array(codes, pa.binary())})


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_order_is_that_of_one_sum_a_clip(count, seed):
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (count, 16))
    scores = rng.normal(size=16).astype(np.float32)
    sums = [sum(float(s) * (1 if b else -1) for s, b in zip(scores, row, strict=True)) for row in bits]
    expected = sorted(range(count), key=lambda i: (-round(sums[i], 9), i))
    found = rescored(answer(bits, list(range(count))), scores)
    assert found.column("distance").to_pylist() == expected
    np.testing.assert_allclose(found.column("score").to_pylist(), [sums[i] for i in expected])


def test_what_agrees_equally_keeps_its_order_and_nothing_stays_nothing():
    scores = np.ones(8, np.float32)
    found = rescored(answer([[1] * 8, [0, 1] * 4, [1, 0] * 4], [0, 4, 4]), scores)
    assert found.column("clip_id").to_pylist() == ["clip-000", "clip-001", "clip-002"]
    assert len(rescored(answer(np.empty((0, 8)), pa.array([], pa.int32())), scores)) == 0


def test_with_equal_magnitudes_it_is_the_distance_in_bits():
    rng = np.random.default_rng(0)
    bits, query = rng.integers(0, 2, (40, 32)), rng.integers(0, 2, 32)
    distances = (bits != query).sum(1)
    found = rescored(answer(bits, distances), (2.0 * query - 1).astype(np.float32))
    assert found.column("distance").to_pylist() == sorted(distances.tolist())
