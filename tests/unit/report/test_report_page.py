import csv
import json
import re

import pytest
from page_tags import HOSTILE, Tags, assert_needs_nothing_else
from report_cases import energy, ledger, metrics, neighbours, write_frames, write_reports

from spikinghash.errors import BadStore
from spikinghash.report.html import build_report


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    return write_reports(root / "reports"), write_frames(root / "frames")


@pytest.fixture(scope="module")
def page(folders, tmp_path_factory):
    return build_report(*folders, tmp_path_factory.mktemp("out") / "new" / "report.html").read_text("utf-8")


def build(reports, frames, out):
    return build_report(reports, frames, out / "report.html").read_text("utf-8")


def test_the_page_needs_nothing_but_itself(page):
    assert_needs_nothing_else(page)
    assert "http://" not in page
    assert "https://" not in page


def test_the_same_files_give_the_same_bytes(folders, page, tmp_path):
    assert build(*folders, tmp_path) == page


def test_sections_stand_in_their_order(page):
    order = ["map", "pr", "gallery", "confusion", "similarity", "bits", "energy", "training", "data", "provenance"]
    assert re.findall(r'<h2 id="(\w+)"', page) == order


def test_the_headline_has_the_number_and_its_bounds(page):
    headline = re.search(r"<h1>(.*?)</h1>", page)[1]
    assert "0.742" in headline
    assert "0.701" in headline
    assert "0.783" in headline
    assert "0.042 above" in page


def test_every_number_says_how_it_was_made(page):
    for form in "ABC":
        assert f"<dt>Form {form}</dt>" in page
    assert "in the order of their ids" in page
    assert "3 queries found nothing there" in page
    assert page.count("queries_averaged: 9") == len(metrics()["metrics"])


def test_the_gallery_frames_hits_and_misses(page):
    same, other, asked = (page.count(f'<figure class="clip {kind}"') for kind in ("same", "other", "query"))
    assert asked == 8
    assert same + other == 8 * 6
    assert same
    assert other
    assert "no picture" not in page
    assert page.count("data:image/gif;base64,") == asked + same + other


def test_energy_is_called_an_estimate_and_states_its_constants(page):
    text = " ".join(Tags(page).text)
    assert "estimate from operation counts" in text
    for said in ("mac_pj", "4.6", "45 nm, 32-bit operations", "10.1 µJ", "9.2 µJ"):
        assert said in text


def test_digests_seeds_and_accounts_are_there(page):
    assert "ab" * 32 in page
    for file in ("evaluation.json", "plots/pr_curve.csv", "samples.parquet"):
        assert re.search(rf"{file}</th><td class=\"digest\">[0-9a-f]{{64}}<", page)
    assert "Both accounts balance" in page
    assert "truncated" in page


def test_hostile_text_from_every_file_stays_text(tmp_path):
    labels = [HOSTILE, "\x00\x07\ud800", "漢字$x$"]
    frames, reports = write_frames(tmp_path / "frames"), write_reports(tmp_path / "reports", labels)
    said = metrics()
    said["task"] |= {"classes": labels, "model_digest": HOSTILE, "query_split": HOSTILE, HOSTILE: HOSTILE}
    said["metrics"] |= {HOSTILE: {"name": HOSTILE, "value": 0.5, "protocol": {HOSTILE: HOSTILE}}}
    said["baseline"] = {"name": HOSTILE, "map": 0.1}
    (reports / "evaluation.json").write_text(json.dumps(said))
    power = energy() | {"notes": [HOSTILE], "constants": {HOSTILE: HOSTILE}}
    power["layers"][0] |= {"name": HOSTILE, "kind": HOSTILE}
    (reports / "energy.json").write_text(json.dumps(power))
    near = neighbours(labels)
    near["queries"][0]["clip_id"] = HOSTILE
    (reports / "neighbours.json").write_text(json.dumps(near))
    book = ledger() | {"dropped": {HOSTILE: 10}, "splits": {HOSTILE: 9}, "reasons": {HOSTILE: 1}}
    book["refused"] = [{"path": HOSTILE, "reason": HOSTILE, "message": HOSTILE}]
    (frames / "ledger.json").write_text(json.dumps(book))
    with (reports / "plots" / "firing_rates.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["layer", "rate"], [HOSTILE, "0.5"]])
    tags = Tags(build(reports, frames, tmp_path))
    assert "script" not in tags.tags
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    assert all(value.startswith(("data:", "#")) for name, value in tags.attributes if name in ("src", "href"))
    assert HOSTILE in " ".join(tags.text)


def test_only_what_is_there_is_shown_and_the_rest_is_said(tmp_path):
    frames, reports = write_frames(tmp_path / "frames"), tmp_path / "reports"
    (frames / "ledger.json").unlink()
    reports.mkdir()
    bare = {"task": {"queries": 1, "database": 2, "bits": 8}, "metrics": {}}
    (reports / "evaluation.json").write_text(json.dumps(bare))
    page = build(reports, frames, tmp_path)
    files = ["pr_curve.csv", "history.csv", "bit_balance.csv", "firing_rates.csv", "energy.json", "neighbours.json"]
    for file in [*files, "ledger.json"]:
        assert re.search(rf"There is no [\w/ ]*{file}", page), file
    assert "<img" not in page


@pytest.mark.parametrize("name", ["energy.json", "neighbours.json", "plots/history.csv"])
def test_one_missing_file_costs_only_its_part(tmp_path, name):
    frames, reports = write_frames(tmp_path / "frames"), write_reports(tmp_path / "reports")
    (reports / name).unlink()
    page = build(reports, frames, tmp_path)
    assert f"{name}, so" in page
    assert page.count("There is no ") == (2 if name == "neighbours.json" else 1)


def test_without_metrics_the_stage_to_run_is_named(folders, tmp_path):
    with pytest.raises(BadStore, match=r"no .*evaluation\.json; run the stage evaluate") as error:
        build(tmp_path, folders[1], tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "report.html").exists()


def test_without_frames_the_stage_to_run_is_named(folders, tmp_path):
    with pytest.raises(BadStore, match=r"samples\.parquet; run the stage ingest"):
        build(folders[0], tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("evaluation.json", "{"),
        ("evaluation.json", "[]"),
        ("evaluation.json", '{"task": {"queries": "many"}, "metrics": {}}'),
        ("evaluation.json", "[" * 100_000),
        ("energy.json", '{"layers": [{"name": "a"}], "total_mj": 1}'),
        ("neighbours.json", '{"confusion": {"labels": ["a", "b"], "counts": [[1]]}}'),
        ("plots/pr_curve.csv", "radius,recall\n1,2\n"),
        ("plots/history.csv", "epoch,loss\n1\n"),
        ("plots/bit_balance.csv", "bit,ones\n1,half\n"),
        ("plots/firing_rates.csv", b"\xff\xfe\x00"),
    ],
)
def test_damage_is_one_clear_line(tmp_path, folders, name, content):
    reports = write_reports(tmp_path / "reports")
    (reports / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadStore, match="run the stage evaluate again") as error:
        build(reports, folders[1], tmp_path)
    assert name.rsplit("/", 1)[-1] in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_plot_file_counts_as_missing(tmp_path, folders):
    reports = write_reports(tmp_path, plots=False)
    (reports / "plots").mkdir()
    (reports / "plots" / "pr_curve.csv").write_text("radius,recall,precision\n")
    assert "There is no plots/pr_curve.csv" in build(reports, folders[1], tmp_path)


def test_clips_that_the_store_lacks_and_another_store_are_said(tmp_path, folders):
    reports = write_reports(tmp_path / "reports", plots=False)
    near = neighbours()
    near["queries"] = [near["queries"][0] | {"clip_id": "gone"}]
    (reports / "neighbours.json").write_text(json.dumps(near))
    said = metrics()
    said["task"]["data_digest"] = "0" * 64
    (reports / "evaluation.json").write_text(json.dumps(said))
    page = build(reports, folders[1], tmp_path)
    assert page.count("no picture</span>") == 1
    assert "not the one these metrics were computed on" in page


def test_accounts_that_do_not_balance_are_said(tmp_path):
    frames, reports = write_frames(tmp_path / "frames"), write_reports(tmp_path / "reports", plots=False)
    (frames / "ledger.json").write_text(json.dumps(ledger() | {"framed": 999}))
    assert "do not balance" in build(reports, frames, tmp_path)


def test_not_a_number_is_a_dash_not_a_crash(tmp_path, folders):
    reports = write_reports(tmp_path / "reports")
    said = metrics()
    said["metrics"]["map"] |= {"value": float("nan"), "worst": None, "best": None}
    said["bits"]["correlation"] = None
    (reports / "evaluation.json").write_text(json.dumps(said))
    (reports / "plots" / "history.csv").write_text("epoch,loss\n0,nan\n1,inf\n")
    (reports / "plots" / "firing_rates.csv").write_text("layer,rate\na,\n")
    assert "mAP –" in build(reports, folders[1], tmp_path)
