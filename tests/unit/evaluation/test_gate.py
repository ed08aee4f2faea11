"""Each rule of the gate refuses what breaks it alone; a candidate equal to the champion passes."""

from dataclasses import replace

import numpy as np
import pytest

from spikinghash.evaluation.gate import Bounds, Evidence, judge

BOUNDS = Bounds(
    worse_by=0.0, class_worse_by=0.05, confidence=0.95, energy_ratio=1.1, min_map=0.5, max_energy_uj=2.0, dead_bits=0.0,
    drift=0.2,
)  # fmt: skip
Q = 300


def evidence(value=0.7, spread=0.1, seed=0, **changed):
    rng = np.random.default_rng(seed)
    precision = np.clip(rng.normal(value, spread, Q), 0, 1)
    labels = np.array([f"class {i % 3}" for i in range(Q)], object)
    one = Evidence(
        model="candidate", precision=np.stack([precision] * 3), labels=labels, recordings=np.arange(Q, dtype=np.uint64),
        energy_pj=1e6, dead_bits=0.0, drift=0.1, differing=0, leaked=0, missing=(),
    )  # fmt: skip
    return replace(one, **changed)


def moved(by, where=slice(None), one=None):
    """The same queries, some of them better or worse by so much."""
    precision = (one or evidence()).precision.copy()
    precision[:, where] += by
    return precision


def broken(candidate, champion=None):
    verdict = judge(candidate, champion, BOUNDS)
    assert verdict.passed == (not [f for f in verdict.findings if not f.passed])
    return [finding.rule for finding in verdict.findings if not finding.passed]


CHAMPION = evidence(model="champion")


def test_equal_to_the_champion_passes():
    verdict = judge(evidence(), CHAMPION, BOUNDS)
    assert verdict.passed
    assert (verdict.candidate, verdict.champion) == ("candidate", "champion")
    assert [f.rule for f in verdict.findings] == [
        "map", "class_map", "energy", "dead_bits", "drift", "same_codes", "leak", "card",
    ]  # fmt: skip
    assert all(f.said for f in verdict.findings)


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("map", {"precision": moved(-0.02)}),
        ("energy", {"energy_pj": 1.11e6}),
        ("dead_bits", {"dead_bits": 1 / 64}),
        ("drift", {"drift": 0.21}),
        ("drift", {"drift": None}),
        ("same_codes", {"differing": 1}),
        ("leak", {"leaked": 1}),
        ("card", {"missing": ("recipe",)}),
    ],
)
def test_each_rule_alone(rule, changed):
    assert broken(evidence(**changed), CHAMPION) == [rule]
    if rule != "map":
        first = {"energy_pj": 2.1e6} if rule == "energy" else changed
        assert broken(evidence(**first)) == [rule]


def test_one_class_that_lost_is_named_though_the_whole_is_better():
    lost = np.arange(Q) % 3 == 1
    precision = moved(+0.2, ~lost)
    precision[:, lost] -= 0.1
    verdict = judge(evidence(precision=precision), CHAMPION, BOUNDS)
    (refused,) = [f for f in verdict.findings if not f.passed]
    assert refused.rule == "class_map"
    assert "class 1" in refused.said
    assert "class 0" not in refused.said
    assert refused.figure == pytest.approx(-0.1)


def test_chance_is_no_reason_to_refuse():
    """Other noise around the same mean: as often better as worse, and never worse beyond the bootstrap."""
    assert sum("map" in broken(evidence(seed=seed), CHAMPION) for seed in range(1, 21)) <= 2


def test_ties_of_the_champion_are_granted_and_no_more():
    """Worse in expectation, but not where the champion's equal distances fall badly: refused only by more than that."""
    champion = moved(0.0)
    champion[1] -= 0.03
    champion = evidence(model="champion", precision=champion)
    assert broken(evidence(precision=moved(-0.02)), champion) == []
    assert broken(evidence(precision=moved(-0.04)), champion) == ["map"]


def test_ties_of_the_candidate_are_no_excuse():
    """Codes that are all equal: in the best order of ties they would be perfect."""
    collapsed = np.stack([np.full(Q, 0.33), np.full(Q, 0.01), np.full(Q, 1.0)])
    assert "map" in broken(evidence(precision=collapsed), CHAMPION)


def test_clips_of_one_recording_are_one_witness():
    """All that is lost is lost on one recording of many clips, by chance; as single clips they would condemn."""
    one = np.arange(Q) < 100
    precision = moved(+0.001)
    precision[:, one] -= 0.04
    together = np.where(one, 7_000, np.arange(Q)).astype(np.uint64)
    assert "map" in broken(evidence(precision=precision), CHAMPION)
    assert "map" not in broken(evidence(precision=precision, recordings=together), CHAMPION)


def test_skipped_queries_do_not_count():
    precision = moved(0.0)
    precision[:, :10] = np.nan
    skipped = evidence(precision=precision)
    assert broken(skipped, replace(skipped, model="champion")) == []


def test_the_first_model_has_bounds_of_its_own():
    assert broken(evidence()) == []
    assert broken(evidence(value=0.3)) == ["map"]
    assert broken(evidence(energy_pj=3e6)) == ["energy"]
    unlimited = replace(BOUNDS, max_energy_uj=None)
    assert judge(evidence(energy_pj=3e9), None, unlimited).passed


def test_a_verdict_is_plain_values():
    content = judge(evidence(leaked=2), None, BOUNDS).to_dict()
    assert (content["passed"], content["champion"]) == (False, None)
    leak = next(f for f in content["findings"] if f["rule"] == "leak")
    assert leak == {
        "rule": "leak", "passed": False, "figure": 2.0, "bound": 0.0,
        "said": "2 queries are recordings that it was trained on",
    }  # fmt: skip
