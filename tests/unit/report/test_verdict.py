"""Whether a person must act stands first, with what to do first; each reason is one sentence."""

import pytest

from spikinghash.report.night import Night, night_report
from spikinghash.report.night_text import night_text
from spikinghash.report.verdict import Bounds, act_line, verdict

ENCODED = {
    "found": 40, "committed": 20, "skipped": 20, "quarantined": 0, "pending": 0, "reasons": {}, "seconds": 1.0,
    "events_per_s": 5,
}  # fmt: skip
ACCOUNTS = {
    "ok": True, "committed": 4, "quarantined": 0, "pending": 0, "duplicates": 0, "missing": 0, "problems": [],
}  # fmt: skip
BOUNDS = Bounds(refused_share=0.1, drift=0.25, recall=1.0)
PINNED = {
    "count": 8, "mean": 0.9, "lowest": 0.2, "index": 0.9, "table": 1.0, "since": "2026-11-01T01:00:00+00:00",
    "note": None, "problem": None, "worst": [{"id": "clip_7", "recall": 0.2}], "queries": [],
}  # fmt: skip
BITS = {"dead": [1], "bits": 8, "clips": 32}
REFUSED = [{"path": "a", "reason": "empty", "message": "m", "offset": None}]


def report(**night):
    measured = {key: night.pop(key) for key in ("bits", "drift", "drift_training", "chance") if key in night}
    told = Night(**{"db": "data/archive", "model": "m", "encode": ENCODED, "fsck": ACCOUNTS} | night)
    found = night_report(told, BOUNDS) | measured
    return found | verdict(found, BOUNDS)


ACTS = {
    "accounts": ({"fsck": ACCOUNTS | {"ok": False, "problems": ["clip x is there twice"]}},
                 "The accounts do not add up (clip x is there twice): run `spikinghash fsck --db data/archive`"),
    "recall": ({"pinned": PINNED}, "find 0.900 of what they found on 2026-11-01, least clip_7"),
    "pinned file": ({"pinned": {"problem": "p.json: no pinned queries"}}, "not asked: p.json: no pinned queries"),
    "champion": ({"moved": {"from": 1, "to": 2}}, "The champion is version 2, before version 1, by other means"),
    "first champion": ({"moved": {"from": None, "to": 2}}, "before none"),
    "pending": ({"encode": ENCODED | {"pending": 3}}, "3 recordings stayed pending: run the night again."),
    "stayed": ({"growing": ["x", "y"], "stayed": ["y"]}, "1 files are still being written as in the night before"),
    "refused": ({"refused": REFUSED * 3}, "3 of 23 new recordings were refused"),
    "drift": ({"drift": 0.5, "chance": {"drift": 0.2}}, "The bits drifted by 0.500, where chance explains 0.200"),
    "training": ({"drift": 0.1, "drift_training": 0.3, "chance": {"drift": 0.0, "drift_training": 0.0}}, "by 0.300"),
}  # fmt: skip


@pytest.mark.parametrize("change", ACTS)
def test_each_reason_is_a_sentence_in_the_first_line(change):
    night, said = ACTS[change]
    found = report(**night)
    (sentence,) = found["act"]
    assert said in sentence
    assert sentence.endswith(".")
    assert act_line(found) == f"ACT: {sentence}"
    text = night_text(found)
    assert text.startswith("# ACT: ")
    assert "\n1. " not in text


def test_a_quiet_night_needs_nobody():
    quiet = report(pinned=PINNED | {"mean": 1.0}, refused=REFUSED * 2, growing=["x"], drift=0.3, chance={"drift": 0.25})
    assert (quiet["act"], quiet["look"]) == (None, [])
    assert act_line(quiet) == "Nothing to do."
    assert night_text(report()).splitlines()[0] == "# Nothing to do."


def test_so_few_clips_that_bits_are_the_same_by_chance_are_not_worth_a_look():
    assert report(bits=BITS | {"clips": 31})["look"] == []


def test_so_few_codes_that_chance_explains_it_are_no_drift():
    assert report(drift=0.5, chance={"drift": 0.5})["act"] is None


@pytest.mark.parametrize(
    ("night", "said"),
    [
        ({"drift": 0.2, "chance": {"drift": 0.05}}, "drift 0.200"),
        ({"bits": BITS}, "1 of 8 bits are dead"),
        ({"pinned": PINNED | {"mean": 1.0, "note": "it is stale"}}, "the index was of no use: it is stale"),
    ],
)
def test_what_is_worth_a_look_needs_nobody(night, said):
    found = report(**night)
    assert (found["act"], found["look"]) == (None, [said])
    assert act_line(found) == f"Nothing to do. Worth a look: {said}."


def test_what_may_be_lost_comes_first_and_all_is_listed():
    found = report(
        refused=REFUSED * 9, moved={"from": 1, "to": 2}, pinned=PINNED, fsck=ACCOUNTS | {"ok": False, "problems": ["p"]}
    )
    words = ["The accounts", "The pinned queries", "The champion", "9 of 29"]
    assert [sentence.startswith(word) for sentence, word in zip(found["act"], words, strict=True)] == [True] * 4
    assert act_line(found).endswith(" (3 more)")
    text = night_text(found)
    for place, word in enumerate(words, 1):
        assert f"\n{place}. {word}" in text


def test_the_bounds_are_those_that_are_given():
    found = report(refused=REFUSED * 9, pinned=PINNED)
    assert verdict(found, Bounds(0.5, 0.25, 0.8)) == {
        "act": None, "look": [], "bounds": {"refused_share": 0.5, "drift": 0.25, "recall": 0.8},
    }  # fmt: skip
