"""Pictures on the same rails: a small made-up set from files to report, codes for new pictures, a search by picture."""

import io
import json

import numpy as np
import pytest
from image_files import encoded, huge_png, image_folder, picture, put
from PIL import Image
from pipeline import copy_project, dvc, spikinghash, stages_run

from spikinghash.codes.database import CodeDatabase
from spikinghash.data.store import SampleStore
from spikinghash.training.checkpoint import load_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def small(params):
    params["dataset"] |= {"path": "data/raw/pictures", "layout": "image_folder", "sensor": None}
    params["frames"] |= {"steps": 1, "val_fraction": 0.1}
    params["model"] |= {"bits": 32, "steps": 4}
    params["train"] |= {"epochs": 3, "workers": 1, "batch": 16}
    params["train"]["augment"] = {
        "shift_px": 0.0, "rotate_deg": 0.0, "scale": 0.0, "drop": 0.0, "flip": True, "crop_px": 2, "rand_ops": 1,
        "erase": 0.1,
    }  # fmt: skip
    params["evaluate"]["k"] = [1, 10]
    params["report"] = {"queries": 2, "neighbours": 3}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = copy_project(tmp_path_factory.mktemp("pictures"), small)
    image_folder(folder / "data/raw/pictures", 200)
    put(folder / "data/raw/pictures/blob/bad.png", b"not a picture")
    assert stages_run(dvc(folder, "repro", "report")) == ["ingest", "train", "encode", "index", "evaluate", "report"]
    return folder


def test_every_picture_is_accounted_for(pictures):
    ledger = json.loads((pictures / "data/frames/ledger.json").read_text())
    assert ledger["found"] == 201 == ledger["clips"] + len(ledger["refused"])
    assert ledger["reasons"] == {"unknown-format": 1}
    assert SampleStore.open(pictures / "data/frames").spec.fields["image"].shape == (3, 32, 32)


def test_it_learns_and_says_what_it_is_compared_with(pictures):
    spec = load_model(pictures / "data/models/default").spec
    assert (spec.options["steps"], spec.input.channels) == (4, 3)
    content = json.loads((pictures / "reports/evaluation.json").read_text())
    assert content["metrics"]["map"]["value"] > 0.6  # chance is 0.5
    assert "pixels" in content["baseline"]["name"]
    layers = json.loads((pictures / "reports/energy.json").read_text())["layers"]
    assert layers[0]["macs"] == 3 * 9 * 16 * 32 * 32
    assert layers[0]["spiking"] is False


def test_the_report_shows_pictures_as_pictures(pictures):
    page = (pictures / "reports/report.html").read_text()
    assert page.count("data:image/png") >= 8
    assert "data:image/gif" not in page
    assert "events framed" not in page


def test_new_pictures_are_hashed_and_bad_ones_set_aside(pictures, tmp_path):
    for i in range(4):
        put(tmp_path / "new" / f"{i}.png", encoded(picture(1000 + i)))
    put(tmp_path / "new" / "bomb.png", huge_png())
    put(tmp_path / "new" / "small.png", encoded(picture(0, 20)))
    done = spikinghash(pictures, "encode", tmp_path / "new", "--db", tmp_path / "db", "--json")
    assert done.returncode == 3, done.stderr
    digest = load_model(pictures / "data/models/default").digest
    assert len(CodeDatabase.open(tmp_path / "db").load(digest)) == 4


def test_a_picture_finds_pictures(pictures, tmp_path):
    query = tmp_path / "query.png"
    query.write_bytes(encoded(picture(5000)))
    done = spikinghash(pictures, "search", query, "--db", "data/codes", "--k", 5, "--gif", tmp_path / "a.gif", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert len(answer["results"]) == 5
    with Image.open(io.BytesIO((tmp_path / "a.gif").read_bytes())) as sheet:
        rgb = np.asarray(sheet.convert("RGB")).astype(int)
    # an event picture has two hues; this query is coloured noise under a blob
    assert len(np.unique(rgb.reshape(-1, 3), axis=0)) > 100
