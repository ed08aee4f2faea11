"""Two models side by side, class by class."""

import numpy as np
import pytest

from spikinghash.evaluation.compare_models import ClassRow, compare_models
from spikinghash.evaluation.gate import Evidence, Verdict


def evidence(model, expected):
    values = np.array(expected, float)
    labels = np.array(["b", "a", "a", "c"], object)
    return Evidence(
        model=model, precision=np.stack([values, values - 0.1, values + 0.1]), labels=labels,
        recordings=np.arange(4, dtype=np.uint64), energy_pj=2e6, dead_bits=0.0, drift=None, differing=0, leaked=0,
        missing=(),
    )  # fmt: skip


def test_classes_come_by_what_they_lost_and_skipped_queries_in_neither():
    verdict = Verdict("second", "first", ())
    found = compare_models(
        evidence("first", [0.5, 0.8, 0.6, np.nan]), evidence("second", [0.7, 0.4, 0.6, 0.9]), verdict
    )
    a, b = found.classes
    assert a == ClassRow("a", 2, 0.7, 0.5, pytest.approx((0.6, 0.8)), pytest.approx((0.4, 0.6)))
    assert b == ClassRow("b", 1, 0.5, 0.7, pytest.approx((0.4, 0.6)), pytest.approx((0.6, 0.8)))
    content = found.to_dict()
    assert content["first"]["map"] == pytest.approx(1.9 / 3)
    assert content["second"]["map_worst"] == pytest.approx(0.55)
    assert content["second"]["energy_uj"] == 2.0
    assert content["gate"]["champion"] == "first"
