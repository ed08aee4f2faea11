"""The page of challenger against champion."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from measured_cases import measured
from page_tags import HOSTILE, Tags, assert_needs_nothing_else
from report_cases import clip_id, write_frames

from spikinghash.data.open_store import create_store
from spikinghash.data.sample_row import SampleRow, labels_of
from spikinghash.data.sample_spec import FieldSpec, SampleSpec
from spikinghash.data.store import SampleStore
from spikinghash.evaluation.compare_models import compare_models
from spikinghash.evaluation.gate import Bounds, judge
from spikinghash.evaluation.review import review
from spikinghash.report.review_differences import differences
from spikinghash.report.review_page import Side, write_review

LABELS = ["circle", "cross", "square"]
BOUNDS = Bounds(
    worse_by=0.0, class_worse_by=0.05, confidence=0.95, energy_ratio=1.1, min_map=0.5, max_energy_uj=None,
    dead_bits=1.0, drift=0.25,
)  # fmt: skip
CARDS = (
    {"kernels": "aaaa", "spec": {"method": "m", "bits": 64}, "training": {"recipe": {"epochs": 18}, "parameters": 7}},
    {"kernels": "aaaa", "spec": {"method": "m", "bits": 64}, "training": {"recipe": {"epochs": 2}, "seconds": 9.6}},
)


def write(out, store, labels=LABELS, cards=CARDS, flips=(0.1, 0.45), names=("version 6", "version 7"), **changed):
    """A page on two models of the clips in a store of `report_cases`; the page's text."""
    label_of = [labels[number % len(labels)] for number in range(18)]
    asked, there = ([clip_id(n) for n in some] for some in (range(9), range(9, 18)))
    first, second = (
        measured(name, (asked, label_of[:9]), (there, label_of[9:]), flip=flip, seed=seed)
        for seed, (name, flip) in enumerate(zip(("first-digest", "second-digest"), flips, strict=True))
    )
    second = replace(second, evidence=replace(second.evidence, **changed))
    verdict = judge(second.evidence, first.evidence, BOUNDS)
    found = review(first, second, compare_models(first.evidence, second.evidence, verdict), 0.95, "zero")
    sides = tuple(Side(*one) for one in zip(names, (first, second), cards, strict=True))
    return write_review(out / "review.html", found, sides, store, "spikinghash registry compare 6 7").read_text("utf-8")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return SampleStore.open(write_frames(tmp_path_factory.mktemp("frames")))


@pytest.fixture(scope="module")
def page(store, tmp_path_factory):
    return write(tmp_path_factory.mktemp("out"), store, leaked=2)


def test_the_page_needs_nothing_but_itself(page):
    assert_needs_nothing_else(page)
    assert "http://" not in page
    assert "https://" not in page


def test_the_first_line_says_who_may_replace_whom_and_what_was_refused(page):
    assert re.search(r"<h1[^>]*>(.*?)</h1>", page)[1] == "Version 7 may not replace version 6"
    head = " ".join(Tags(page.split("</header>")[0]).text)
    assert re.search(r"The gate refused it: \d of 8 rules do not hold \(map, class_map.*leak\)", head)
    assert "2 queries are recordings that it was trained on" in head
    assert "its description is whole" not in head  # that rule holds


def test_a_model_that_passes_is_said_to(store, tmp_path):
    page = write(tmp_path, store, flips=(0.45, 0.05))
    assert re.search(r"<h1[^>]*>(.*?)</h1>", page)[1] == "Version 7 may replace version 6"
    assert "all 8 rules hold" in page
    assert "No query got worse." in page


def test_four_parts_are_open_and_the_rest_is_folded(page):
    before = page.split("<details")[0]
    assert re.findall(r'<h2 id="(\w+)"', page) == ["both", "classes", "queries"]
    assert all(f'<h2 id="{name}"' in before for name in ("both", "classes", "queries"))
    folded = ["rules", "lengths", "map", "confusion", "bits", "provenance"]
    assert re.findall(r'<details id="(\w+)">', page) == folded
    assert "details::details-content" in page.split("@media print")[-1]


def test_what_changed_is_shown_with_the_neighbours_of_both(page):
    part = page.split('id="queries"')[1].split("<details")[0]
    rows = part.count('<section class="row">')
    assert 3 <= rows <= 6
    assert part.count('<figure class="clip') == rows * (1 + 2 * 5)
    assert part.count("data:image/gif;base64,") == rows * 11
    assert part.count("Version 6: average precision") == part.count("Version 7: average precision") == rows


def test_short_codes_are_called_truncated_and_energy_an_estimate(page):
    part = " ".join(Tags(page.split('id="lengths"')[1].split("</details>")[0]).text)
    assert "truncated, not trained" in part
    assert "estimated at 4.6 pJ" in part
    assert "8.3 %" in part  # 1 of 12 uJ is the hash layer's
    assert part.count("11.25 µJ") == 2  # 16 of 64 bits: three quarters of that 1 uJ are saved


def test_digests_settings_and_the_command_are_there(page):
    text = " ".join(Tags(page.split('id="provenance"')[1]).text)
    for said in ("first-digest", "second-digest", "aaaa", "train.epochs", "18", "spikinghash registry compare 6 7"):
        assert said in text
    assert "model.bits" not in text


def test_hostile_names_stay_text(store, tmp_path):
    labels = [HOSTILE, "_hidden\x00\ud800", "漢字$x$"]
    cards = ({"kernels": HOSTILE, "spec": {HOSTILE: HOSTILE}}, {"training": HOSTILE, "spec": {HOSTILE: 1}})
    page = write(tmp_path, store, labels, cards)
    assert_needs_nothing_else(page)
    assert HOSTILE in " ".join(Tags(page).text)


def test_samples_that_are_no_pictures_make_a_page_without_them(tmp_path):
    spec = SampleSpec({"features": FieldSpec("features", (4,), "float32", {"made": "by hand"})})
    with create_store(tmp_path / "frames", spec, "parquet") as out:
        row = SampleRow("a", "a", labels_of("circle"), "test", "a", "0" * 64)
        out.add(row, {"features": np.zeros(4, np.float32)})
    page = write(tmp_path, SampleStore.open(tmp_path / "frames"))
    assert "data:image/gif;base64," not in page
    assert "no picture</span>" in page


def test_settings_that_differ_are_named_and_those_that_are_equal_are_not():
    first = {"spec": {"bits": 64, "inputs": {"events": {"height": 32}}}, "training": {"recipe": {"lr": 0.1, "a": None}}}
    second = json.loads(json.dumps(first))
    assert differences(first, second) == []
    second["spec"]["inputs"]["events"]["height"] = 16
    del second["training"]["recipe"]["a"]
    found = [(one.key, one.first, one.second) for one in differences(first, second)]
    assert found == [("model.inputs.events.height", "32", "16"), ("train.a", "null", "not said")]
