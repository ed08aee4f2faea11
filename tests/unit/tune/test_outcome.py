"""What a search writes: the best of all trials, how each ended, and files that DVC and `preset apply` read."""

import csv
import json

import pytest
import yaml

from spikinghash.tune.outcome import Outcome, best_of, write_outcomes


def epochs(*scores):
    return [{"epoch": n, "val_map": score, "loss": 1.0, "seconds": 0.1} for n, score in enumerate(scores, 1)]


@pytest.fixture
def outcomes():
    def point(lr):
        return {"train.lr": lr, "train.optimiser": "adamw"}

    return [
        Outcome(0, point(0.1), 3, epochs(0.1, 0.7, 0.6)),
        Outcome(1, point(0.2), 3, epochs(0.2)),
        Outcome(2, point(0.3), 3, [*epochs(0.3), {"epoch": 2, "val_map": 0.0, "loss": 0.0, "collapsed": "all equal"}]),
        Outcome(3, point(0.4), 3, [], "killed"),
        Outcome(4, point(0.5), 3),
        Outcome(5, point(0.6), 3, epochs(0.7, 0.7, 0.7)),
    ]


def test_how_each_trial_ended(outcomes):
    assert [outcome.status for outcome in outcomes] == [
        "finished", "stopped", "collapsed", "failed", "not started", "finished",
    ]  # fmt: skip


def test_the_best_epoch_of_any_trial_counts_and_the_first_of_equals(outcomes):
    assert best_of(outcomes).number == 0
    outcomes[5].epochs[1]["val_map"] = 0.71
    assert best_of(outcomes).number == 5


def test_the_files(outcomes, tmp_path):
    assert write_outcomes(tmp_path, outcomes, 12.34).number == 0
    facts = json.loads((tmp_path / "results.json").read_text())
    assert facts["best"] == {"trial": 0, "val_map": 0.7, "point": {"train.lr": 0.1, "train.optimiser": "adamw"}}
    assert (facts["epochs"], facts["seconds"]) == (9, 12.3)
    assert facts["trials"] == {"finished": 2, "stopped": 1, "collapsed": 1, "failed": 1, "not started": 1}
    with (tmp_path / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {
        "trial": "1", "status": "stopped", "epochs": "1", "val_map": "0.2", "train.lr": "0.2",
        "train.optimiser": "adamw",
    }  # fmt: skip
    with (tmp_path / "history.csv").open() as file:
        assert [row["trial"] for row in csv.DictReader(file)] == list("000122555")
    text = (tmp_path / "best.yaml").read_text()
    assert text.startswith("# Best of 6 trials: validation mAP 0.7000 in trial 0.\n")
    assert yaml.safe_load(text) == {"train": {"lr": 0.1, "optimiser": "adamw"}}
