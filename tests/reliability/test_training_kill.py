"""Streamed training with two workers, killed at random steps within an epoch: the weights are the undisturbed ones."""

import os
import random

import pytest
import training_kill
from training_store import training_store

from spikinghash.training.checkpoint import load_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
#: Of a worker, and of the driver: one of those is among `tests/e2e/test_ray_training.py`.
KILLS, DRIVER_KILLS = (5, 5) if os.environ.get("FULL") else (1, 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("training")
    training_store(place / "frames")
    (place / "cache").mkdir()
    return place


@pytest.fixture(scope="module")
def calm(folder):
    """Digest of the undisturbed model."""
    assert finished(training_kill.start(folder, "calm")) == []
    return load_model(folder / "calm").digest


def finished(process):
    """Where training was resumed, a line each; Ray prints others."""
    said = process.communicate(timeout=400)[0].splitlines()
    assert process.returncode == 0
    return [line for line in said if "training resumed" in line]


def where(done):
    epoch, step = divmod(done, training_kill.STEPS)
    return f"training resumed after epoch {epoch}" + (f", step {step} of the next" if step else "")


@pytest.mark.parametrize("number", range(KILLS))
def test_a_worker_killed_at_a_step(folder, calm, number):
    random.seed(number)
    name = f"worker-{number}"
    # every other time a process of its own reads for each worker
    process = training_kill.start(folder, name, loaders=(number + 1) % 2)
    training_kill.wait_for(folder, name, random.randint(1, training_kill.STEPS * training_kill.EPOCHS // 2), process)
    training_kill.kill_worker(process)
    said = finished(process)
    assert [line.startswith("a worker died; training resumed after epoch ") for line in said] == [True]
    assert "instead of" not in said[0]
    assert load_model(folder / name).digest == calm


@pytest.mark.parametrize("number", range(DRIVER_KILLS))
def test_the_driver_killed_at_a_step(folder, calm, number):
    random.seed(100 + number)
    name = f"driver-{number}"
    process = training_kill.start(folder, name)
    training_kill.wait_for(folder, name, random.randint(1, training_kill.STEPS * training_kill.EPOCHS // 2), process)
    training_kill.kill_driver(process)
    done = training_kill.steps_done(folder, name)
    assert not (folder / name).exists()
    (said,) = finished(training_kill.start(folder, name))
    # the newest state may not have been committed yet
    assert said in {where(done), where(done - 1)}
    assert load_model(folder / name).digest == calm


@pytest.mark.skipif("FULL" not in os.environ, reason="part of make reliability")
def test_with_another_number_of_workers_training_goes_on(folder):
    process = training_kill.start(folder, "elastic")
    training_kill.wait_for(folder, "elastic", 3, process)
    training_kill.kill_driver(process)
    (said,) = finished(training_kill.start(folder, "elastic", workers=1))
    assert said.endswith(", with 1 worker instead of 2")
    assert load_model(folder / "elastic").spec.bits == 16
