"""Trials of params.yaml: a space is checked before anything starts, and only validation clips judge."""

from pathlib import Path

import pytest
import yaml
from small_store import small_store

from spikinghash.data.store import SampleStore
from spikinghash.errors import ConfigError
from spikinghash.params import load_params
from spikinghash.tune.trial import run_trial
from spikinghash.tune_trials import trials_of

SHIPPED = Path(__file__).parents[3] / "params.yaml"


@pytest.fixture
def made(tmp_path):
    """`made(space, **tune)`: the file's path, its parameters and a small store."""
    small_store(tmp_path / "frames")

    def make(space, train=(), **tune):
        content = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
        content["model"] |= {"input": [16, 16], "bits": 16}
        content["train"] |= {"epochs": 2, "batch": 8} | dict(train)
        content["tune"] |= tune | {"space": space}
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path, load_params(path), SampleStore.open(tmp_path / "frames")

    return make


def problem(make, *arguments):
    with pytest.raises(ConfigError) as caught:
        make(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_shipped_space_is_good():
    params = load_params(SHIPPED)
    assert set(params.tune.space) == {"train.lr", "train.weight_decay", "train.alpha", "train.warmup"}


def test_a_trial_is_the_file_with_a_point_laid_over_it(made):
    space = {"train.lr": {"low": 0.001, "high": 0.01}, "model.bits": {"values": [16, 32]}}
    trials = trials_of(*made(space, trials=5))
    assert [trial.recipe.lr for trial in trials] == [trial.point["train.lr"] for trial in trials]
    assert [trial.spec.bits for trial in trials] == [trial.point["model.bits"] for trial in trials]
    # two workers of four clips each, one after the other
    assert {(trial.recipe.batch, trial.recipe.accumulate, trial.recipe.seed) for trial in trials} == {(8, 2, 7)}


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"train.lr": {"low": 0.1, "high": 0.01}}, "low 0.1 must be below high 0.01"),
        ({"train.lr": {"low": 0.0, "high": 0.01, "log": True}}, "a logarithm needs low above 0"),
        ({"train.lr": {"low": 0.1}}, "give low and high, or values"),
        ({"train.lr": {"low": 0.1, "values": [1.0]}}, "not both"),
        ({"frames.steps": {"values": [4, 8]}}, "frames.steps is no hyper-parameter of training"),
        ({"train.seed": {"low": 1, "high": 9}}, "train.seed is no hyper-parameter"),
        ({"train.lr": {"lo": 0.1, "high": 1.0}}, "unknown key tune.space.train.lr.lo"),
    ],
)
def test_a_wrong_domain_is_told_when_the_file_is_read(made, space, words):
    assert words in problem(made, space)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({}, "tune.space is empty"),
        ({"train.lrr": {"low": 0.1, "high": 0.2}}, "did you mean train.lr"),
        ({"train.lr": {"low": -1.0, "high": 0.2}}, "tune.space.train.lr: with -1.0"),
        ({"train.batch": {"values": [8, 9]}}, "batch 9 must give each of 2 workers"),
        ({"train.soft": {"values": [True, False]}}, "2 different points, tune.trials asks for 16"),
    ],
)
def test_a_space_that_the_file_does_not_allow_is_told_before_a_trial_starts(made, space, words):
    path, params, store = made(space)
    assert words in problem(trials_of, path, params, store)


def test_a_trial_never_reads_a_query(made, tmp_path, monkeypatch):
    from spikinghash.training import data

    asked, real = [], data.split_dataset
    monkeypatch.setattr(
        data, "split_dataset", lambda cache, split, spec: asked.append(split) or real(cache, split, spec)
    )
    trial, *_ = trials_of(*made({"train.lr": {"low": 0.001, "high": 0.01}}))
    told = []
    run_trial(trial, tmp_path, 1, told.append)
    assert asked == ["train", "val"]
    assert [record["epoch"] for record in told] == [1, 2]
    assert all(0 <= record["val_map"] <= 1 for record in told)


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_collapse_is_told_and_scores_nothing(made, tmp_path):
    # a rate at which the loss is soon no number
    trial, *_ = trials_of(*made({"train.lr": {"low": 1e9, "high": 1e10}}, train={"warmup": 0.0}.items()))
    told = []
    run_trial(trial, tmp_path, 1, told.append)
    assert told[-1]["val_map"] == 0.0
    assert "lower train.lr" in told[-1]["collapsed"]
