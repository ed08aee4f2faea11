"""The night report: drift against earlier codes and against the training codes, and what landed."""

import numpy as np
import pytest

from spikinghash.codes.codeset import CodeSet
from spikinghash.report.night import night_report, night_text
from spikinghash.report.verdict import verdict, verdict_line

ENCODED = {
    "found": 4, "committed": 2, "skipped": 2, "quarantined": 0, "pending": 0, "reasons": {}, "seconds": 1.0,
    "events_per_s": 5,
}  # fmt: skip
ACCOUNTS = {"ok": True, "committed": 4, "quarantined": 0, "pending": 0, "duplicates": 0, "missing": 0}


def codes(rows):
    N = len(rows)
    nothing, zeros = np.full(N, None, dtype=object), np.zeros(N, np.int64)
    ids = np.array([f"c{i}" for i in range(N)], dtype=object)
    return CodeSet(ids, np.array(rows, np.uint8)[:, None], nothing, ids, nothing, zeros, zeros, "m", 8, 1)


def report(fresh, trained=None, landed=None):
    # bits of the first two clips: all ones, of the others: four ones
    return night_report(ENCODED, ACCOUNTS, codes([0xFF, 0xFF, 0xF0, 0xF0]), np.array(fresh), "m", trained, landed)


def test_drift_is_the_mean_difference_of_the_shares():
    found = report([False, False, True, True], np.full(8, 0.25))
    assert found["drift"] == pytest.approx(0.5)  # four of eight bits went from 1 to 0
    assert found["drift_training"] == pytest.approx((4 * 0.75 + 4 * 0.25) / 8)
    text = night_text(found)
    assert "drift against earlier codes 0.500, drift against the training codes 0.500." in text


def test_balance_is_the_share_of_ones():
    found = report([True] * 4)
    assert found["bits"]["balance"] == {"mean": 0.75, "least": 0.5, "most": 1.0}
    assert "75% ones (50% to 100% by bit)" in night_text(found)


def test_the_first_night_has_only_the_training_to_drift_from():
    found = report([True] * 4, np.array([1.0] * 4 + [0.5] * 4))
    assert found["drift"] is None
    assert found["drift_training"] == 0.0
    assert "earlier codes" not in night_text(found)


@pytest.mark.parametrize("fresh", [[False] * 4, [True] * 4, [False, False, True, True]])
def test_a_model_that_knows_nothing_of_its_training_reports_none(fresh):
    found = report(fresh)
    assert found["drift_training"] is None
    assert "training codes" not in night_text(found)


def test_a_night_without_new_codes_drifts_nowhere():
    found = report([False] * 4, np.full(8, 0.5))
    assert (found["drift"], found["drift_training"]) == (None, None)
    assert night_report(ENCODED, ACCOUNTS, None, None, "m", np.full(8, 0.5))["drift_training"] is None


def test_names_that_were_refused_are_told_one_by_one():
    landed = {
        "address": "s3://archive/night", "found": 4, "fetched": 1, "kept": 1, "bytes": 1234,
        "refused": {"../up\x1b.bin": "has the part '..'"}, "changed": ["late.bin"],
    }  # fmt: skip
    found = report([True] * 4, landed=landed)
    text = night_text(found)
    assert found["landing"] == landed
    assert "4 objects in s3://archive/night: 1 fetched (1,234 bytes), 1 here already, 1 refused by name" in text
    assert "- '../up\\\\x1b.bin' is refused: the name has the part '..'" in text
    assert "- 'late.bin' is left for the next night" in text
    assert report([True] * 4)["landing"] is None


@pytest.mark.parametrize(
    ("change", "state", "why"),
    [
        ({}, "good", ""),
        ({"accounts": {"ok": False}}, "bad", "accounts"),
        ({"drift": 0.11}, "look", "drift 0.110"),
        ({"drift_training": 0.26}, "bad", "drift 0.260"),
        ({"encode": {"found": 10, "quarantined": 1}}, "look", "1 of 10 recordings refused"),
        ({"dead": [1]}, "look", "1 of 8 bits are dead"),
    ],
)
def test_a_verdict_says_what_to_think_and_by_which_thresholds(change, state, why):
    told = {
        "encode": ENCODED | change.get("encode", {}), "fsck": ACCOUNTS | change.get("accounts", {}),
        "bits": {"dead": change.get("dead", []), "bits": 8},
        "drift": change.get("drift"), "drift_training": change.get("drift_training", 0.0),
    }  # fmt: skip
    found = verdict(told)
    assert found["state"] == state
    assert why in "; ".join(found["reasons"])
    assert found["thresholds"]["drift_look"] < found["thresholds"]["drift_bad"]
    assert "drift above 0.1 is worth a look, above 0.25 bad" in verdict_line(found)
