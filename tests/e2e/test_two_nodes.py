"""A Ray cluster of two nodes on this machine, each with folders of its own: results are those of one machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from training_store import spec_of, training_store

from spikinghash.codes.database import CodeDatabase
from spikinghash.data.store import SampleStore
from spikinghash.kernels.cache_folder import kernel_cache_folder
from spikinghash.training.augment import Augmentation
from spikinghash.training.checkpoint import load_model
from spikinghash.training.ray_trainer import Job, train_with_ray
from spikinghash.training.recipe import Recipe
from spikinghash.tune.ray_tune import Bounds, search
from spikinghash.tune.trial import Trial, run_trial

sys.path.insert(0, str(Path(__file__).parents[1] / "reliability"))
import warm

# Ray warns of its own deprecated settings
pytestmark = [pytest.mark.slow, pytest.mark.timeout(280), pytest.mark.filterwarnings("ignore")]

FILES = 40


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """(address, one cache folder a node) of two nodes of one CPU."""
    from ray.cluster_utils import Cluster

    caches = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    nodes = Cluster()
    for cache in caches:
        # compiled kernels are shared, which saves a minute
        own = {"XDG_CACHE_HOME": str(cache), "NUMBA_CACHE_DIR": str(kernel_cache_folder())}
        nodes.add_node(num_cpus=1, object_store_memory=100 << 20, include_dashboard=False, env_vars=own)
    yield nodes.address, caches
    nodes.shutdown()


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    training_store(folder)
    return SampleStore.open(folder)


def job(frames, out):
    """Two epochs of two workers, with everything that draws."""
    recipe = Recipe(2, 8, 3e-3, 5, checkpoint_every=1, augmentation=Augmentation(2.0, 10.0, 0.1, 0.2))
    return Job(str(frames.path), frames.digest, str(out), spec_of(frames).changed(soft=True), recipe, workers=2)


@pytest.fixture(scope="module")
def here(frames, tmp_path_factory):
    """(digest of the model, history) of training on this machine alone.

    Before the cluster starts: a local Ray sets the environment to ask for a token, which is then the cluster's too.
    """
    folder = tmp_path_factory.mktemp("here")
    records = train_with_ray(job(frames, folder / "model"), folder / "runs", threads=1)
    return load_model(folder / "model").digest, records


def test_training_on_two_nodes_gives_the_weights_of_one_machine(here, cluster, frames, tmp_path):
    address, caches = cluster
    digest, records = here
    there = train_with_ray(job(frames, tmp_path / "there"), tmp_path / "runs", address=address, threads=1)
    # a worker on each node made a cache in its own folder
    made = [[path.name for path in cache.rglob("samples-*") if path.is_dir()] for cache in caches]
    assert made == [[f"samples-{frames.digest[:16]}"]] * 2
    assert [record["loss"] for record in there] == [record["loss"] for record in records]
    assert load_model(tmp_path / "there").digest == digest


def test_a_search_on_two_nodes_has_the_numbers_of_one_process(cluster, frames, tmp_path):
    recipes = [Recipe(2, 8, lr, 5, augmentation=Augmentation(2.0)) for lr in (3e-3, 1e-3)]
    trials = [Trial({"train.lr": how.lr}, str(frames.path), frames.digest, spec_of(frames), how) for how in recipes]
    bounds = Bounds(concurrent=2, threads=1, grace_epochs=2, reduction=2, hours=1.0)
    outcomes = search(trials, tmp_path / "runs", bounds, address=cluster[0])
    assert [outcome.status for outcome in outcomes] == ["finished"] * 2
    for trial, outcome in zip(trials, outcomes, strict=True):
        told = []
        run_trial(trial, tmp_path, 1, told.append)
        assert [epoch["loss"] for epoch in outcome.epochs] == [epoch["loss"] for epoch in told]
    assert not (tmp_path / "runs/tune").exists()


def encode(landing, model, db, *options):
    """Rows and counts that the command leaves."""
    command = [sys.executable, "-m", "spikinghash", "encode", landing, "--db", db, "--model", model, "--json", *options]
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": root}
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    report, database = json.loads(done.stdout), CodeDatabase.open(db)
    rows = database.rows().drop_columns(["encoded_at"]).sort_by("clip_id").to_pylist()
    refused = database.quarantined().drop_columns(["seen_at"]).sort_by("path").to_pylist()
    return rows, refused, {key: report[key] for key in ("found", "committed", "clips", "quarantined", "pending")}


def test_the_command_hashes_on_two_nodes_what_it_hashes_here(cluster, tmp_path):
    landing, model = tmp_path / "landing", tmp_path / "model"
    sample = warm.inbox(landing, FILES)
    warm.tiny_model(model, sample[:8])
    here = encode(landing, model, tmp_path / "here")
    there = encode(landing, model, tmp_path / "there", "--workers", 2, "--address", cluster[0])
    assert there == here
    assert there[2]["committed"] == FILES
