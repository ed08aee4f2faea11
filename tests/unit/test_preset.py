"""Presets: each is valid, lays its values over params.yaml, keeps the comments, and builds a network."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.configs import spec_of
from spikinghash.data.described import event_field
from spikinghash.data.picture import PictureFrame
from spikinghash.errors import ConfigError
from spikinghash.frames.framing import Framing
from spikinghash.methods.method import build
from spikinghash.params import load_params
from spikinghash.preset import apply_preset
from spikinghash.presets import preset_names, preset_text
from spikinghash.training.step_cost import drawn_out

SHIPPED = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def params(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(SHIPPED.read_text())
    return path


def described(p):
    """Of the samples that these parameters make."""
    height, width = p.model.input
    return (
        PictureFrame(width, height, False).field()
        if p.dataset.has_pictures
        else event_field(Framing(p.frames.steps).meta((34, 34)))
    )


def test_the_recipes_of_the_paper_are_there():
    assert {"ucf101-dvs", "hmdb51-dvs", "hardvs", "cifar10-dvs", "dvs128-gesture"} <= set(preset_names())
    assert {"cifar10", "cifar100", "tiny-imagenet"} <= set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid_and_builds(name, params):
    comments = params.read_text().count("#")
    keys = apply_preset(name, params)
    assert keys
    assert params.read_text().count("#") == comments
    p = load_params(params)
    assert apply_preset(name, params) == []
    spec = spec_of(p, {described(p).kind: described(p)}, ("a", "b"))
    assert spec.input.channels == (3 if p.dataset.has_pictures else 2)
    with torch.device("meta"):
        build(spec)


def test_the_paper_s_numbers_for_video():
    """Section IV-B b: alpha 1e-3, beta 1, 200 epochs, 8 steps, batch 6, AdamP, 5e-3."""
    got = yaml.safe_load(preset_text("ucf101-dvs"))
    t = got["train"]
    assert (t["alpha"], t["beta"], t["epochs"], t["batch"], t["optimiser"], t["lr"]) == (
        1e-3,
        1.0,
        200,
        6,
        "adamp",
        5e-3,
    )
    assert got["frames"]["steps"] == 8


def test_the_paper_s_numbers_for_pictures():
    """Sections IV-B a and IV-D: 4 steps, alpha 0.2, beta 0.8, hard similarity."""
    for name, size, epochs, batch, optimiser in (
        ("cifar10", "M", 400, 64, "adamp"),
        ("cifar100", "M", 400, 64, "adamp"),
        ("tiny-imagenet", "M-pool", 310, 16, "adamw"),
    ):
        got = yaml.safe_load(preset_text(name))
        t, m = got["train"], got["model"]
        assert (m["network_size"], m["steps"], t["epochs"], t["batch"], t["optimiser"]) == (
            size,
            4,
            epochs,
            batch,
            optimiser,
        )
        assert (t["alpha"], t["beta"], t["lr"], t["soft"]) == (0.2, 0.8, 5e-3, False)


def test_a_wrong_name_or_file_changes_nothing(params, tmp_path):
    before = params.read_text()
    with pytest.raises(ConfigError, match="did you mean ucf101-dvs"):
        apply_preset("ucf-101-dvs", params)
    assert params.read_text() == before
    with pytest.raises(ConfigError, match="No such file"):
        apply_preset("hardvs", tmp_path / "none.yaml")


def test_the_command(params):
    run = CliRunner().invoke
    assert set(json.loads(run(app, ["preset", "list", "--json"]).stdout)["presets"]) == set(preset_names())
    shown = json.loads(run(app, ["preset", "show", "nmnist-cpu", "--params", str(params), "--json"]).stdout)
    assert shown["changes"]["train"] == {"epochs": 60}
    step = shown["needs"]["step"]
    assert step["clips"] == 16
    assert set(step["measured"]) <= {"1", "2", "4", "8", "16"}
    assert step["seconds"] > 0
    assert step["worker_memory_bytes"] > 50e6
    done = json.loads(run(app, ["preset", "apply", "nmnist-cpu", "--params", str(params), "--json"]).stdout)
    assert "train.epochs" in done["changed"]
    assert load_params(params).train.epochs == 60
    assert run(app, ["preset", "show", "nothing", "--params", str(params)]).exit_code == 1
    assert run(app, ["preset", "show", "hardvs", "--params", "none.yaml", "--no-measure"]).exit_code == 1


def test_what_a_preset_asks_of_a_machine(params):
    run = CliRunner().invoke(app, ["preset", "show", "hardvs", "--params", str(params), "--no-measure", "--json"])
    needs = json.loads(run.stdout)["needs"]
    # 107,646 clips of 8 steps, 2 polarities, 260 x 346 pixels, a byte each
    assert needs["store_bytes"] == 107_646 * 8 * 2 * 260 * 346
    assert (needs["clip_in_network"], needs["steps"]) == ([8, 2, 256, 320], 200 * (107_646 // 6))
    assert needs["activation_checkpointing"]
    assert "step" not in needs


def test_a_larger_batch_is_drawn_out_from_the_first_and_the_last_step():
    assert drawn_out({1: 10.0}, 1) == 10.0
    assert drawn_out({1: 10.0, 2: 12.0, 4: 19.0}, 10) == 19.0 + 3.0 * 6
    # a slower first step is noise
    assert drawn_out({1: 10.0, 2: 9.0}, 8) == 9.0
