"""Ray Train with two workers, and a killed training that goes on to the same weights."""

import os
import signal
import subprocess
import sys
import time

import pytest

from spikinghash.data.described import digest_of
from spikinghash.data.store import SampleStore
from spikinghash.methods.method import LossWeights
from spikinghash.methods.spec import ModelSpec
from spikinghash.training.augment import Augmentation
from spikinghash.training.checkpoint import load_model
from spikinghash.training.history import HISTORY
from spikinghash.training.ray_trainer import Job, train_with_ray
from spikinghash.training.recipe import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def job(frames, out, workers, epochs):
    store = SampleStore.open(frames)
    field = store.spec.fields["events"]
    spec = ModelSpec(
        "spikinghash", "Nano", 64, tuple(store.classes), field.shape[0], 32, 32, (34, 34), 8, "atan", digest_of(field)
    )  # fmt: skip
    recipe = Recipe(epochs, 16, 0.004, 3, checkpoint_every=1, augmentation=Augmentation(shift_px=2.0))
    return Job(str(frames), store.digest, str(out), spec, LossWeights(), recipe, workers)


# Ray warns of its own deprecated settings
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_two_workers_train_one_model(project, tmp_path):
    folder, _ = project
    records = train_with_ray(job(folder / "data/frames", tmp_path / "model", 2, 2), tmp_path / "runs", threads=1)
    assert [r["epoch"] for r in records] == [1, 2]
    assert load_model(tmp_path / "model").spec.bits == 64
    assert list((tmp_path / "runs").iterdir()) == []


PROGRAM = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_ray_training import job
from spikinghash.training.ray_trainer import train_with_ray
train_with_ray(job(Path({frames!r}), Path({out!r}), 1, 4), Path({runs!r}), threads=1)
"""


def start(folder, tmp_path, out, runs):
    here = os.path.dirname(__file__)  # noqa: PTH120
    program = PROGRAM.format(
        path=[here, os.path.dirname(os.path.dirname(here))],  # noqa: PTH120
        frames=str(folder / "data/frames"), out=str(tmp_path / out), runs=str(tmp_path / runs),
    )  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_a_killed_training_resumes_to_the_same_weights(project, tmp_path):
    folder, _ = project
    assert start(folder, tmp_path, "calm", "runs-a").wait(280) == 0
    killed = start(folder, tmp_path, "killed", "runs-b")
    until = time.monotonic() + 200
    while epochs_done(tmp_path / "runs-b") < 2 and time.monotonic() < until:
        time.sleep(0.2)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert epochs_done(tmp_path / "runs-b") >= 2
    assert not (tmp_path / "killed").exists()
    assert start(folder, tmp_path, "killed", "runs-b").wait(280) == 0
    assert load_model(tmp_path / "killed").digest == load_model(tmp_path / "calm").digest


def epochs_done(runs):
    return sum(len(path.read_text().splitlines()) for path in runs.glob(f"*/{HISTORY}"))
