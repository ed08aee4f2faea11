"""`make tune`, small: four trials of the real training loop, of which ASHA stops some; files that DVC reads."""

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml
from pipeline import ROOT, copy_project, dvc, spikinghash
from small_store import small_store

from spikinghash.data.store import SampleStore
from spikinghash.params import load_params
from spikinghash.tune.trial import run_trial
from spikinghash.tune_trials import trials_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

EPOCHS = 4


def small(params):
    params["model"] |= {"bits": 16, "input": [16, 16]}
    params["train"] |= {"epochs": EPOCHS, "batch": 8, "workers": 2, "warmup": 0.0}
    # one at a time, so that who is stopped is the same every time: whoever is no better than those before
    params["tune"] |= {"trials": 4, "concurrent": 1, "grace_epochs": 1, "reduction": 2}
    params["tune"]["space"] = {
        "train.lr": {"low": 0.004, "high": 0.03, "log": True},
        "train.beta": {"values": [0.5, 1.0]},
    }


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = copy_project(tmp_path_factory.mktemp("tune"), small)
    left = shutil.ignore_patterns("tmp", "cache", "config.local", "*.csv", "*.json")
    shutil.copytree(ROOT / "tuning", folder / "tuning", ignore=left)
    (folder / "tuning/.dvc/config.local").write_text("[core]\n    no_scm = true\n")
    # labels that no picture tells: scores differ by chance, and somebody is always behind
    small_store(folder / "data/frames", 60, labels=("a", "b", "c", "d"))
    done = dvc(folder / "tuning", "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_trials_are_trained_judged_and_stopped(searched):
    folder, said = searched
    trials = table(folder / "tuning/trials.csv")
    assert len({(trial["train.lr"], trial["train.beta"]) for trial in trials}) == 4
    statuses = [trial["status"] for trial in trials]
    assert statuses.count("stopped") >= 1
    assert statuses.count("finished") >= 1
    assert all((trial["status"] == "finished") == (int(trial["epochs"]) == EPOCHS) for trial in trials)
    history = table(folder / "tuning/history.csv")
    for trial in trials:
        own = [row for row in history if row["trial"] == trial["trial"]]
        assert [int(row["epoch"]) for row in own] == list(range(1, int(trial["epochs"]) + 1))
        assert max(float(row["val_map"]) for row in own) == float(trial["val_map"])
    best = json.loads((folder / "tuning/results.json").read_text())["best"]
    assert best["val_map"] == max(float(trial["val_map"]) for trial in trials)
    assert "spikinghash preset apply tuning/best.yaml" in said
    assert "best.val_map" in dvc(folder / "tuning", "metrics", "show").stdout


def test_a_trial_is_the_training_loop(searched):
    """The last one, which runs in a process that had others before."""
    folder, _ = searched
    params = load_params(folder / "params.yaml")
    trial = trials_of(folder / "params.yaml", params, SampleStore.open(folder / "data/frames"))[-1]
    told = []
    run_trial(replace(trial, cache=str(folder / "cache")), folder, 1, told.append)
    assert len(told) == EPOCHS
    ours = [row for row in table(folder / "tuning/history.csv") if row["trial"] == "3"]
    for row, record in zip(ours, told, strict=False):
        assert (float(row["val_map"]), float(row["loss"])) == (record["val_map"], record["loss"])


def test_the_best_is_applied_by_the_command_that_was_printed(searched):
    folder, _ = searched
    point = json.loads((folder / "tuning/results.json").read_text())["best"]["point"]
    done = spikinghash(folder, "preset", "apply", folder / "tuning/best.yaml", "--params", folder / "params.yaml")
    assert done.returncode == 0, done.stderr
    train = yaml.safe_load((folder / "params.yaml").read_text())["train"]
    assert {"train.lr": train["lr"], "train.beta": train["beta"]} == point


def test_what_no_trial_can_do_ends_in_one_line(tmp_path):
    def too_large(params):
        small(params)
        params["train"]["batch"] = 64
        params["tune"]["trials"] = 1

    folder = copy_project(tmp_path, too_large)
    small_store(folder / "data/frames", 60)
    command = [sys.executable, "-E", "-P", "spikinghash/start.py", "stages.tune"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("stages.tune: no trial finished an epoch: BadStore: ")
    assert done.stderr.splitlines()[-1].endswith("40 training clips are fewer than train.batch = 64")
