"""Studies: parameters laid over each other, the time-order task, a trial end to end, tables."""

from pathlib import Path

import numpy as np
import pytest
import torch
from frame_specs import frame_spec

from spikinghash.data.samples import SampleArray
from spikinghash.data.store import SampleStore
from spikinghash.datasets.digits import synthesize_digits
from spikinghash.errors import ConfigError
from spikinghash.events.camera import CameraParams
from spikinghash.experiments.pool import run_trials
from spikinghash.experiments.summary import markdown, summarise
from spikinghash.experiments.time_order import CLASSES, BothDirections, direction_labels
from spikinghash.experiments.trial import Trial, run_trial
from spikinghash.frames.framing import Framing
from spikinghash.ingest.recordings import ingest
from spikinghash.study_params import changed, load_studies
from spikinghash.training.recipe import Recipe

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    synthesize_digits(folder / "raw", seed=1, camera=CameraParams(seed=1), limit=120)
    ingest(folder / "raw", "class_folders", folder / "frames", Framing(steps=4), sensor=(34, 34), val_fraction=0.2)
    return folder / "frames"


def trial(frames, task="labels", method="hashnet", seed=1):
    store = SampleStore.open(frames)
    spec = frame_spec(
        method, "Nano", 16, tuple(store.classes), 4, 32, 32, (34, 34), 8, "atan", store.spec.fields["events"]
    )  # fmt: skip
    return Trial(method, str(frames), task, spec, Recipe(2, 16, 0.004, seed))


def test_both_directions_have_the_same_frames():
    x = torch.arange(2 * 3 * 2 * 1 * 1).reshape(2, 3, 2, 1, 1).float()
    clips = BothDirections(SampleArray(x.numpy()))
    both = torch.from_numpy(clips.read(range(len(clips))))
    assert torch.equal(both[:2], x)
    for n in range(2):
        for t in range(3):
            assert torch.equal(both[2 + n, t], x[n, 2 - t])
    assert (clips.read([3, 0]) == both.numpy()[[3, 0]]).all()
    assert [CLASSES[i] for i in direction_labels(2).tolist()] == ["forward", "forward", "backward", "backward"]


@pytest.mark.parametrize("task", ["labels", "time-order"])
def test_a_trial_measures_and_repeats(frames, task):
    first, second = run_trial(trial(frames, task)), run_trial(trial(frames, task))
    timed = {"train_seconds"}
    assert {k: v for k, v in first.items() if k not in timed} == {k: v for k, v in second.items() if k not in timed}
    assert first["map_worst"] <= first["map"] <= first["map_best"]
    store = SampleStore.open(frames)
    times = 2 if task == "time-order" else 1
    assert first["queries"] == times * len(store.rows("test"))
    assert first["database"] == times * (len(store.rows("train")) + len(store.rows("val")))
    assert 0 <= first["accuracy"] <= 1
    assert first["energy_uj"] > 0


@pytest.mark.slow
def test_trials_side_by_side_keep_their_order(frames):
    trials = [trial(frames, seed=s) for s in (1, 2)]
    told = []
    results = run_trials(trials, workers=2, progress=lambda done, total: told.append((done, total)))
    assert [r["seed"] for r in results] == [1, 2]
    assert told == [(1, 2), (2, 2)]
    alone = run_trial(trials[1])
    assert results[1]["map"] == alone["map"]


def test_a_summary_is_mean_and_sample_deviation():
    base = {"accuracy": 0.5, "acg_at_100": 0.1, "ndcg_at_100": 0.2, "energy_uj": 3.0, "train_seconds": 1.0}
    results = [base | {"arm": "x", "seed": s, "parameters": 10, "map": m} for s, m in ((1, 0.2), (2, 0.4), (3, 0.9))]
    (row,) = summarise(results)
    assert row["map"]["mean"] == pytest.approx(np.mean([0.2, 0.4, 0.9]))
    assert row["map"]["sd"] == pytest.approx(np.std([0.2, 0.4, 0.9], ddof=1))
    text = markdown({"study": "s", "set": "n", "task": "labels", "epochs": 2, "rows": [row]})
    assert "| x | 10 | 0.500 ± 0.361 | 0.500 ± 0.000 |" in text


def test_the_shipped_studies_are_valid_down_to_every_arm():
    studies = load_studies(ROOT / "experiments/studies.yaml")
    for study in studies.studies.values():
        for arm in study.arms:
            p = changed(ROOT / "params.yaml", studies.sets[study.set], study.change, studies.arms[arm])
            assert p.dataset.path.startswith("../data/raw/")
    assert changed(ROOT / "params.yaml", {"train": {"augment": {"drop": 0.1}}}).train.augment.drop == 0.1


def test_a_wrong_name_is_told_the_nearest(tmp_path):
    text = (ROOT / "experiments/studies.yaml").read_text().replace("arms: [spikinghash,", "arms: [spikinhash,", 1)
    (tmp_path / "studies.yaml").write_text(text)
    with pytest.raises(ConfigError, match="unknown name 'spikinhash'; did you mean spikinghash"):
        load_studies(tmp_path / "studies.yaml")
    with pytest.raises(ConfigError, match=r"unknown key train\.epoch"):
        changed(ROOT / "params.yaml", {"train": {"epoch": 3}})
