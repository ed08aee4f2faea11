"""Names of files cannot forge what a person reads: no line of their own, no colours, no pictures, no reversed text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinghash.report.night import Night, night_report
from spikinghash.report.night_text import night_text
from spikinghash.report.verdict import Bounds, act_line
from spikinghash.visible import markdown, visible


@given(st.text())
def test_visible_text_prints_on_one_line(text):
    assert visible(text).isprintable()


@given(st.text(st.characters(categories=["L", "N", "Zs"], max_codepoint=0x24F), max_size=20))
def test_plain_names_stay_as_they_are(text):
    if text.isprintable():
        assert visible(text) == markdown(text) == text


NAMES = (
    "a\n\n# All good\n", "![x](http://example.org/x.png)", "<script>alert(1)</script>", "a|b", "\x1b[31mred",
    "a\u202egnp",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_forges_nothing_in_the_night_report(name):
    encoded = {
        "found": 1, "committed": 0, "skipped": 0, "quarantined": 1, "pending": 0, "reasons": {"empty": 1},
        "seconds": 1.0, "events_per_s": 5,
    }  # fmt: skip
    accounts = {
        "ok": False, "committed": 4, "quarantined": 1, "pending": 0, "duplicates": 0, "missing": 0,
        "problems": [f"{name}: odd"],
    }  # fmt: skip
    refused = [{"path": name, "reason": "empty", "message": f"{name} is empty", "offset": None}]
    landed = {"address": "s3://b", "found": 2, "fetched": 0, "kept": 0, "bytes": 0}
    landed |= {"refused": {name: "rule"}, "changed": [name]}
    shadow = {"ref": name, "model": "s", "encode": encoded, "bits": None, "problem": None, "k": 10, "both": 2}
    shadow |= {"asked": 1, "overlap": 0.5, "least": [{"id": name, "recording": name, "overlap": 0.5}]}
    pinned = {"count": 1, "mean": 0.5, "lowest": 0.5, "index": 1.0, "table": 0.5, "since": "2026-11-01", "note": name}
    pinned |= {"problem": None, "worst": [{"id": name, "recall": 0.5}]}
    night = Night(
        db=name, model="m", encode=encoded, fsck=accounts, landed=landed, refused=refused, shadow=shadow, pinned=pinned,
        growing=[name], stayed=[name],
    )  # fmt: skip
    report = night_report(night, Bounds(0.1, 0.25, 1.0))
    text = night_text(report)
    assert act_line(report).isprintable()
    assert text.count("\n# ") == 0
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "![" not in text
    assert "NOT in order" in text
    assert text.startswith("# ACT: The accounts do not add up")
    # a cell of a table with a name in it is one cell
    (row,) = [line for line in text.splitlines() if line.startswith("| empty")]
    assert row.replace("\\|", "").count("|") == 5
