"""HybridHash by `params.yaml` alone: pictures from files to report, and a search by picture."""

import json
import os

import pytest
from image_files import encoded, image_folder, picture
from pipeline import copy_project, dvc, spikinghash, stages_run

from spikinghash.training.checkpoint import load_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif("FULL" not in os.environ, reason="part of make reliability"),
]


def small(params):
    params["dataset"] |= {"path": "data/raw/pictures", "layout": "image_folder", "sensor": None}
    params["frames"] |= {"steps": 1, "val_fraction": 0.1}
    options = {"width": 16, "depths": [1, 1, 1], "drop_path": 0.0}
    params["model"] |= {"method": "hybridhash", "bits": 32, "options": options}
    params["train"] |= {"epochs": 4, "workers": 1, "batch": 16, "optimiser": "adamw", "lr": 0.002}
    none = {"shift_px": 0.0, "rotate_deg": 0.0, "scale": 0.0, "drop": 0.0}
    params["train"]["augment"] = none | {"flip": True, "crop_px": 2}
    params["evaluate"]["k"] = [1, 10]
    params["report"] = {"queries": 2, "neighbours": 3}


def test_from_pictures_to_a_search(tmp_path):
    folder = copy_project(tmp_path, small)
    image_folder(folder / "data/raw/pictures", 200)
    assert stages_run(dvc(folder, "repro", "report")) == ["ingest", "train", "encode", "index", "evaluate", "report"]
    content = json.loads((folder / "reports/evaluation.json").read_text())
    assert content["metrics"]["map"]["value"] > 0.6  # chance is 0.5
    layers = json.loads((folder / "reports/energy.json").read_text())["layers"]
    assert {layer["kind"] for layer in layers} == {"convolution", "linear", "attention"}
    assert not any(layer["spiking"] for layer in layers)
    assert load_model(folder / "data/models/default").spec.options["depths"] == [1, 1, 1]
    query = tmp_path / "query.png"
    query.write_bytes(encoded(picture(5000)))
    done = spikinghash(folder, "search", query, "--db", "data/codes", "--k", 5, "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["results"]) == 5
