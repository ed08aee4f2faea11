"""The night report: drift against earlier codes and against the training codes, counts, growth, and what landed."""

import numpy as np
import pytest

from spikinghash.codes.codeset import CodeSet
from spikinghash.report.night import Night, night_report
from spikinghash.report.night_text import night_text
from spikinghash.report.verdict import Bounds

ENCODED = {
    "found": 4, "committed": 2, "skipped": 2, "quarantined": 0, "pending": 0, "reasons": {}, "seconds": 1.0,
    "events_per_s": 5,
}  # fmt: skip
ACCOUNTS = {"ok": True, "committed": 4, "quarantined": 0, "pending": 0, "duplicates": 0, "missing": 0}
BOUNDS = Bounds(0.1, 0.25, 1.0)


def codes(rows):
    N = len(rows)
    nothing, zeros = np.full(N, None, dtype=object), np.zeros(N, np.int64)
    ids = np.array([f"c{i}" for i in range(N)], dtype=object)
    return CodeSet(ids, np.array(rows, np.uint8)[:, None], nothing, ids, nothing, zeros, zeros, "m", 8, 1)


def report(fresh, trained=None, **night):
    # bits of the first two clips: all ones, of the others: four ones
    said = Night(**{"db": "d", "model": "m", "encode": ENCODED, "fsck": ACCOUNTS} | night)
    return night_report(said, BOUNDS, codes([0xFF, 0xFF, 0xF0, 0xF0]), np.array(fresh), trained)


def test_drift_is_the_mean_difference_of_the_shares():
    found = report([False, False, True, True], np.full(8, 0.25))
    assert found["drift"] == pytest.approx(0.5)  # four of eight bits went from 1 to 0
    assert found["drift_training"] == pytest.approx((4 * 0.75 + 4 * 0.25) / 8)
    text = night_text(found)
    assert "drift against earlier codes 0.500 (chance 0.000), drift against the training codes 0.500" in text


def test_chance_is_what_a_sample_of_so_few_codes_deviates_by():
    found = report([False, False, True, True], np.full(8, 0.25))
    assert found["chance"]["drift_training"] == pytest.approx(np.sqrt(0.25 * 0.75 / 2))
    draws = np.random.default_rng(1).binomial(2, 0.25, 200_000) / 2
    assert np.std(draws) == pytest.approx(found["chance"]["drift_training"], rel=0.01)
    half = report([False, True, True, True])  # the first code, and three of which one is all ones
    assert half["chance"]["drift"] == 0.0
    assert report([True, False, False, True])["chance"]["drift"] == pytest.approx(0.5 * 0.5)


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
    nothing = Night(db="d", model="m", encode=ENCODED, fsck=ACCOUNTS)
    assert night_report(nothing, BOUNDS, trained=np.full(8, 0.5))["drift_training"] is None


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


def test_refused_files_stand_by_reason_with_three_examples():
    refused = [{"path": f"{i}.bin", "reason": "empty", "message": "m", "offset": None} for i in range(5)]
    refused.append({"path": "x|y.bin", "reason": "memory", "message": "m", "offset": 7})
    encoded = ENCODED | {"reasons": {"empty": 7, "magic": 1, "memory": 1}}
    found = report([True] * 4, refused=refused, encode=encoded)
    assert found["refusals"]["empty"] == {"count": 5, "examples": ["0.bin", "1.bin", "2.bin"]}
    assert len(found["refused"]) == 6
    text = night_text(found)
    assert "| empty | 7 | 5 | 0.bin, 1.bin, 2.bin |" in text
    assert "| magic | 1 | 0 |  |" in text
    assert "| memory | 1 | 1 | x\\|y.bin |" in text


def test_rates_and_growth():
    grown = {
        "before": {"codes": 10, "bytes": 5000}, "after": {"codes": 30, "bytes": 4000},
        "week_ago": {"codes": 5, "bytes": 1000}, "week_ago_began": "2026-11-01T01:00:00+00:00",
    }  # fmt: skip
    found = report([True] * 4, growth=grown, encode=ENCODED | {"seconds": 4.0})
    assert found["recordings_per_s"] == 0.5
    text = night_text(found)
    assert "(0.5 recordings and 5 events a second)" in text
    assert "30 codes of all models in 4,000 bytes: +20 codes and -1,000 bytes tonight" in text
    assert "+25 codes and +3,000 bytes since 2026-11-01." in text
    assert report([True] * 4, encode=ENCODED | {"seconds": 0.0})["recordings_per_s"] == 0.0


def test_the_shadow_is_compared_or_said_why_not():
    bits = report([True] * 4)["bits"]
    shadow = {
        "ref": "models:/m@challenger", "model": "s", "encode": ENCODED, "problem": None, "bits": bits, "k": 10,
        "both": 4, "asked": 2, "overlap": 0.25, "least": [{"id": "c_1", "recording": "r.bin", "overlap": 0.0}],
    }  # fmt: skip
    text = night_text(report([True] * 4, shadow=shadow))
    assert "0.250 of the 10 nearest clips are the same under both models, for 2 clips of tonight among 4" in text
    assert "- 0.000: c\\_1 in r.bin" in text
    assert "no neighbours were compared" in night_text(report([True] * 4, shadow=shadow | {"overlap": None}))
    broken = {"ref": "models:/m@challenger", "model": None, "encode": None, "problem": "no [alias]"}
    found = report([True] * 4, shadow=broken)
    assert found["act"] is None
    assert "the shadow did not hash: no \\[alias\\]." in night_text(found).splitlines()[0]
    same = night_text(report([True] * 4, shadow=broken | {"model": "m", "problem": "it is the model in use"}))
    assert "shadow" not in same.splitlines()[0]
    assert "it is the model in use" in same
