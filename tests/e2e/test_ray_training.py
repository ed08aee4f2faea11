"""Ray Train with two workers, and a killed training that goes on to the same weights."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from frame_specs import frame_spec
from s3_store import s3_store

from spikinghash.configs import model_spec, recipe
from spikinghash.data.store import SampleStore
from spikinghash.params import load_params
from spikinghash.training.augment import Augmentation
from spikinghash.training.checkpoint import load_model
from spikinghash.training.history import HISTORY
from spikinghash.training.ray_trainer import Job, train_with_ray
from spikinghash.training.recipe import Recipe
from spikinghash.training.state import TENSORS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def job(frames, out, workers, epochs):
    store = SampleStore.open(frames)
    field = store.spec.fields["events"]
    spec = frame_spec(
        "spikinghash", "Nano", 64, tuple(store.classes), field.shape[0], 32, 32, (34, 34), 8, "atan", field
    )  # fmt: skip
    short = Recipe(epochs, 16, 0.004, 3, checkpoint_every=1, augmentation=Augmentation(shift_px=2.0))
    return Job(str(frames), store.digest, str(out), spec, short, workers)


# in short, on two nodes: `test_two_nodes.py`; Ray warns of its own deprecated settings
@pytest.mark.skipif("FULL" not in os.environ, reason="part of make reliability")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_two_workers_train_one_model(learned, tmp_path):
    records = train_with_ray(job(learned / "data/frames", tmp_path / "model", 2, 2), tmp_path / "runs", threads=1)
    assert [r["epoch"] for r in records] == [1, 2]
    assert load_model(tmp_path / "model").spec.bits == 64
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_worker_finds_the_bits_of_a_method_in_closed_form_that_the_stage_finds(learned, tmp_path):
    params, store = load_params(learned / "params.yaml"), SampleStore.open(learned / "data/frames")
    spec, out = model_spec(params, store), tmp_path / "model"
    train_with_ray(Job(str(store.path), store.digest, str(out), spec, recipe(params), 1), tmp_path / "runs", threads=1)
    assert load_model(out).digest == load_model(learned / "data/models/default").digest


PROGRAM = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_ray_training import job
from spikinghash.training.ray_trainer import train_with_ray
train_with_ray(job(Path({frames!r}), Path({out!r}), 1, 4), Path({runs!r}), threads=1, storage={storage!r}, say=print)
"""


def start(folder, tmp_path, out, runs, storage=None):
    here = Path(__file__).parent
    program = PROGRAM.format(
        path=[str(here), str(here.parent), str(here.parents[1])], frames=str(folder / "data/frames"),
        out=str(tmp_path / out), runs=str(tmp_path / runs), storage=storage,
    )  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


# workers and drivers that are killed over a folder: `test_training_kill.py`
@pytest.mark.skipif("FULL" not in os.environ, reason="part of make reliability")
def test_a_killed_training_resumes_from_an_object_store_to_the_same_weights(learned, tmp_path, monkeypatch):
    finished(start(learned, tmp_path, "calm", "runs-a"))
    with s3_store("states") as (settings, client):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        killed = start(learned, tmp_path, "killed", "runs-b", "s3://states/of/training")
        until = time.monotonic() + 200
        while epochs_done(tmp_path / "runs-b") < 2 and time.monotonic() < until:
            time.sleep(0.2)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        assert epochs_done(tmp_path / "runs-b") >= 2
        assert not (tmp_path / "killed").exists()
        assert any(TENSORS in name for name in names(client))
        said = finished(start(learned, tmp_path, "killed", "runs-b", "s3://states/of/training"))
        assert "training resumed after epoch" in said
        assert names(client) == []
    assert load_model(tmp_path / "killed").digest == load_model(tmp_path / "calm").digest


def finished(process):
    """What a training said that ended well."""
    said = process.communicate(timeout=280)[0]
    assert process.returncode == 0
    return said


def names(client):
    """Files in the store."""
    listed = client.list_objects_v2(Bucket="states").get("Contents", [])
    return [entry["Key"] for entry in listed if entry["Size"]]


def epochs_done(runs):
    return sum(len(path.read_text().splitlines()) for path in runs.glob(f"*/{HISTORY}"))
