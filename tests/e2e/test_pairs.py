"""The stages of the project of pairs, as DVC runs them, and real sets where they are."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from spikinghash import Hasher, start
from spikinghash.codes.database import CodeDatabase
from spikinghash.data.store import SampleStore
from spikinghash.pairs.importers.table import find_pairs
from spikinghash.pairs.pair_file import PairFile

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared/data"
REAL = pytest.mark.skipif(not (DATA / "crossmodal").is_dir(), reason="no shared data here")


def stage(folder, name, expected=0):
    command = [sys.executable, "-E", "-P", start.__file__, f"stages.{name}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == expected, done.stderr
    return done.stdout if expected == 0 else done.stderr


def params(folder, **sections):
    content = yaml.safe_load((ROOT / "crossmodal/params.yaml").read_text()) | sections
    (folder / "params.yaml").write_text(yaml.safe_dump(content))


def test_from_digits_to_a_store_of_features(tmp_path):
    params(tmp_path, digit_pairs={"seed": 1, "limit": 120})
    stage(tmp_path, "digit_pairs")
    assert stage(tmp_path, "pairs").startswith("120 of 120 pairs")
    stage(tmp_path, "features")
    store = SampleStore.open(tmp_path / "data/features")
    assert {name: one.made_by["name"] for name, one in store.spec.fields.items()} == {
        "image": "pixels", "text": "bag_of_words",
    }  # fmt: skip
    rows = store.rows(None)
    assert [row.sample_id for row in rows] == [f"{i:04}" for i in range(120)]
    assert all(len(row.labels) == 2 for row in rows)
    assert (tmp_path / "data/pairs/splits.json").read_text()
    made_by = PairFile.open(tmp_path / "data/pairs").spec.made_by
    assert made_by["importer"] == "parquet"


def test_a_mistake_is_one_line(tmp_path):
    params(tmp_path)
    assert "there is no file of pairs" in stage(tmp_path, "features", expected=1)
    line = stage(tmp_path, "pairs", expected=1)
    assert line.startswith("stages.pairs: cannot read data/raw/digits/pairs.parquet")
    assert line.count("\n") == 1


def of_set(folder, name):
    text = (ROOT / f"crossmodal/sets/{name}.yaml").read_text()
    params(folder, **yaml.safe_load(text.replace("../data/raw", str(DATA / "crossmodal"))))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Digits and sentences hashed by a method in closed form, measured, drawn."""
    folder = tmp_path_factory.mktemp("pairs")
    params(folder, model={"method": "cca-itq", "bits": 16})
    for name in ("digit_pairs", "pairs", "features", "train", "encode", "evaluate_pairs", "report_pairs"):
        stage(folder, name)
    return folder


def test_digits_and_sentences_find_each_other(found):
    evaluation = json.loads((found / "reports/evaluation.json").read_text())
    for rows in evaluation["searched"].values():
        assert len(rows) == 4
        for one in rows:
            assert one["seen"] == "single"
            assert one["metrics"]["map"]["value"] > one["chance"]["map"] + 0.05
    page = (found / "reports/report.html").read_text()
    assert page.count("<section") == 40
    assert page.count("<tr>") == 2 * 5
    assert "data:image/png;base64," in page


def search(folder, *arguments, expected=0):
    places = ("--db", "data/codes", "--model", "data/models/default", "--json")
    command = [sys.executable, "-P", "-m", "spikinghash", "search", *arguments, *places]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == expected, done.stderr
    return json.loads(done.stdout)


def test_a_sentence_finds_pictures_and_a_picture_sentences(found):
    answer = search(found, "--text", "a zero standing straight, drawn bold", "--k", "20")
    assert {hit["modality"] for hit in answer["results"]} == {"image"}
    labels = {pair.pair_id: pair.labels for pair in PairFile.open(found / "data/pairs").pairs(None, ["labels"])}
    # of all pictures two in five are of a zero, or upright
    assert sum(bool({"zero", "upright"} & set(labels[hit["item"]])) for hit in answer["results"]) >= 14
    pair = next(PairFile.open(found / "data/pairs").pairs("test", ["image"]))
    (found / "query.png").write_bytes(pair.image)
    answer = search(found, "--image", "query.png", "--k", "3", "--to", "text")
    assert [hit["modality"] for hit in answer["results"]] == ["text"] * 3
    hits = Hasher.load(found / "data/models/default").search(database=found / "data/codes", image=pair.image, k=3)
    assert hits.names == [hit["item"] for hit in answer["results"]]


def test_what_a_model_of_pairs_cannot_take_is_one_line(found):
    error = search(found, "--text", "a zero", "--to", "sound", expected=1)["error"]
    assert error["message"] == "the model knows image and text, not sound"
    error = search(found, "--text", "a zero", "--image", "query.png", expected=1)["error"]
    assert "not both" in error["message"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the query is empty"),
        (" \n", "the query is empty"),
        ("zebra xylophone", "knows no word of 'zebra xylophone'"),
        ("你好 世界", "knows no word"),
    ],
)
def test_a_text_that_says_nothing_is_refused(found, text, said):
    assert said in search(found, "--text", text, expected=1)["error"]["message"]


def test_a_label_need_not_be_the_first_one(found):
    pairs = {pair.pair_id: pair.labels for pair in PairFile.open(found / "data/pairs").pairs(None, ["labels"])}
    hits = search(found, "--text", "a three", "--label", "upright", "--k", "20")["results"]
    assert len(hits) == 20
    assert all("upright" in pairs[hit["item"]] for hit in hits)
    assert search(found, "--text", "a three", "--label", "no such label")["results"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--text", "a zero", "--gif", "answers.gif"], "--gif is for recordings"),
        (["--text", "a zero", "--from-us", "0"], "--from-us is for recordings"),
        (["--text", "a zero", "clip.bin"], "not both"),
        (["clip.bin", "--rescore"], "--rescore is for --text and --image"),
        (["clip.bin", "--to", "text"], "--to is for --text and --image"),
    ],
)
def test_options_of_the_other_kind_of_query_are_a_wrong_use(found, arguments, said):
    assert said in search(found, *arguments, expected=1)["error"]["message"]


def test_rescoring_ranks_the_nearest_by_the_real_scores_of_the_query(found):
    text = ("--text", "a three leaning to the left", "--k", "5")
    plain, again = (search(found, *text, *more)["results"] for more in ((), ("--rescore",)))
    assert "score" not in plain[0]
    scores = [hit["score"] for hit in again]
    assert len(again) == 5
    assert scores == sorted(scores, reverse=True)
    # it looks at four times as many, no further
    near = search(found, *text[:2], "--k", "20")["results"]
    assert {hit["item"] for hit in again} <= {hit["item"] for hit in near}
    model = Hasher.load(found / "data/models/default")
    hits = model.search(database=found / "data/codes", text=text[1], k=5, rescore=True)
    assert hits.names == [hit["item"] for hit in again]


def spikinghash(folder, *arguments):
    command = [sys.executable, "-P", "-m", "spikinghash", *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_model_of_pairs_is_reviewed_promoted_and_searched_with_by_its_name(found):
    added = spikinghash(found, "registry", "add")
    assert added["new_version"]
    assert spikinghash(found, "registry", "add")["new_version"] is False
    promoted = spikinghash(found, "registry", "promote", "1", "--reason", "the first one")
    assert promoted["versions"][0]["aliases"] == ["challenger", "champion"]
    metrics = spikinghash(found, "registry", "show", "1")["versions"][0]["metrics"]
    evaluation = json.loads((found / "reports/evaluation.json").read_text())
    assert set(evaluation["metrics"]) <= set(metrics)
    asked = ("search", "--text", "a three leaning to the left", "--db", "data/codes", "--model")
    named = spikinghash(found, *asked, "models:/spikinghash-pairs@champion")
    assert named["results"] == spikinghash(found, *asked, "data/models/default")["results"] != []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("report",), "dvc repro report_pairs"),
        (("energy",), "reports/evaluation.json"),
        (("registry", "gate"), "models of pairs have no gate yet"),
    ],
)
def test_commands_of_recordings_say_what_to_do_instead(found, command, said):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "spikinghash", *command], cwd=found, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert said in done.stderr


def test_codes_can_be_searched_as_they_were_at_a_version(found):
    now = search(found, "--text", "a zero", "--k", "3")["results"]
    last = CodeDatabase.open(found / "data/codes").version()
    assert search(found, "--text", "a zero", "--k", "3", "--version", str(last))["results"] == now
    assert "no version" in search(found, "--text", "a zero", "--version", "99", expected=1)["error"]["message"]


@REAL
@pytest.mark.parametrize("name", ["flickr8k", "flickr8k-words"])
def test_flickr8k_comes_in_by_options_alone(tmp_path, name):
    of_set(tmp_path, name)
    assert stage(tmp_path, "pairs") == "5000 of 5000 pairs: {'test': 1000, 'train': 4000}\n"
    stage(tmp_path, "features")
    store = SampleStore.open(tmp_path / "data/features")
    image, rows = store.load("test", "image")
    folder = DATA / "crossmodal/flickr8k"
    table = pq.read_table(folder / "flickr8k-image-efficientnet_lite0.parquet").slice(0, 1000)
    assert [row.sample_id for row in rows] == table["image_id"].to_pylist()
    assert np.array_equal(image, np.stack(table["embedding"].to_numpy()))
    assert len(store.classes) == 24
    assert sum(len(row.labels) for row in store.rows(None)) / 5000 == pytest.approx(1.71, abs=0.005)
    assert store.spec.fields["text"].shape == (384 if name == "flickr8k" else 1000,)


@REAL
@pytest.mark.parametrize(
    ("name", "splits", "widths"),
    [
        ("wiki", {"train": 2173, "test": 693}, (128, 100)),
        ("fashion-products", {"test": 1000, "train": 2000, "database": 2000}, (176, 1000)),
    ],
)
def test_other_sets_come_in_by_options_alone(tmp_path, name, splits, widths):
    of_set(tmp_path, name)
    stage(tmp_path, "pairs")
    stage(tmp_path, "features")
    ledger = json.loads((tmp_path / "data/pairs/ledger.json").read_text())
    assert ledger["splits"] == splits
    fields = SampleStore.open(tmp_path / "data/features").spec.fields
    assert (fields["image"].shape[0], fields["text"].shape[0]) == widths


@REAL
@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("hashnet_list_coco_test_sample", 80),
        ("hashnet_list_imagenet100_test_sample", 100),
        ("list_mirflickr38_test_sample", 38),
        ("hashnet_list_nuswide81m_test_sample", 81),
    ],
)
def test_slices_of_published_lists_are_read(name, labels):
    folder = DATA / "crossmodal/format-samples"
    found = list(find_pairs("hashnet_lists", folder, {"lists": {"test": f"{name}.txt"}}))
    assert len(found) == 60
    assert all(max(map(int, one.labels), default=0) < labels for one in found)
    assert sum(bool(one.labels) for one in found) > 50


@REAL
def test_a_slice_of_published_captions_is_read():
    folder = DATA / "crossmodal/format-samples"
    found = list(find_pairs("coco_json", folder, {"captions": ["coco_captions_val2017_sample.json"]}))
    assert (len(found), sum(len(one.text) for one in found)) == (60, 300)
