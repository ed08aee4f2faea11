"""Train with Ray in a process of its own, to be killed at a random step: the driver, or one of its workers."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from training_store import spec_of

from spikinghash.data.store import SampleStore
from spikinghash.training.augment import Augmentation
from spikinghash.training.ray_trainer import Job
from spikinghash.training.recipe import Recipe
from spikinghash.training.state import where_it_was

HERE = Path(__file__).parent
EPOCHS, STEPS = 6, 5
PROGRAM = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from training_kill import job
from spikinghash.training.ray_trainer import train_with_ray
train_with_ray(job(*map(Path, {folders!r}), {workers}, {loaders}), Path({runs!r}), threads=1, say=print)
"""


def job(frames, out, cache, workers, loaders):
    """Six epochs of five steps with augmentation, a state after every step."""
    store = SampleStore.open(frames)
    seen = Augmentation(2.0, 10.0, 0.1, 0.2)
    recipe = Recipe(EPOCHS, 8, 3e-3, 5, checkpoint_every=1, checkpoint_steps=1, augmentation=seen)
    spec = spec_of(store).changed(soft=True)
    return Job(str(frames), store.digest, str(out), spec, recipe, workers, str(cache), loaders)


def start(folder, name, workers=2, loaders=0):
    """The driver's process; it says on stdout where training resumed."""
    folders = [str(folder / part) for part in ("frames", name, "cache")]
    path = [str(HERE), str(HERE.parent)]
    program = PROGRAM.format(
        path=path, folders=folders, workers=workers, loaders=loaders, runs=str(folder / f"runs-{name}")
    )
    command = [sys.executable, "-c", program]
    with (folder / f"{name}.err").open("a") as err:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True)


def steps_done(folder, name):
    """Steps of the newest whole training state."""
    found = [where_it_was(path) for path in (folder / f"runs-{name}").glob("*/checkpoint_*")]
    return max((epoch * STEPS + step for epoch, step, _ in found), default=0)


def wait_for(folder, name, steps, process):
    """Until that many steps are saved, and a moment longer."""
    until = time.monotonic() + 200
    while steps_done(folder, name) < steps and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert process.poll() is None, (folder / f"{name}.err").read_text()[-2000:]
    time.sleep(random.random() * 0.3)


def kill_worker(process):
    """One of the workers of a driver."""
    workers = [
        p for p in psutil.Process(process.pid).children(recursive=True) if "TrainWorker" in " ".join(p.cmdline())
    ]
    assert workers
    os.kill(random.choice(workers).pid, signal.SIGKILL)


def kill_driver(process):
    """The driver, and what it leaves, which has nobody to end it."""
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    # at once: workers that outlive their driver may finish the few steps that are left before Ray ends them
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(children, timeout=20)
    process.communicate()
