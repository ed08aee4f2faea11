"""The paper's recipes on tiny trees in the real layouts: framed at the real geometry, and trained for two steps."""

import math
import os
from pathlib import Path

import pytest
import yaml
from paper_trees import TREES

from spikinghash.configs import model_spec, recipe
from spikinghash.data.store import SampleStore
from spikinghash.isolation import packages_alone
from spikinghash.overlay import lay_over
from spikinghash.params import check_params
from spikinghash.presets import preset_text
from spikinghash.presets.published import CLIPS
from spikinghash.training.checkpoint import load_model
from spikinghash.training.ray_session import connect_ray
from spikinghash.training.ray_trainer import Job, train_with_ray
from stages.ingest import ingest_into

ROOT = Path(__file__).parents[2]
#: Clip of the store and input of the network, T P H W and T H W, as the paper or its released file has them.
GEOMETRY = {
    "cifar10": ((3, 32, 32), (4, 32, 32)), "cifar100": ((3, 32, 32), (4, 32, 32)),
    "tiny-imagenet": ((3, 64, 64), (4, 64, 64)), "cifar10-dvs": ((16, 2, 128, 128), (16, 128, 128)),
    "dvs128-gesture": ((16, 2, 128, 128), (16, 128, 128)), "hmdb51-dvs": ((8, 2, 180, 240), (8, 176, 176)),
    "ucf101-dvs": ((8, 2, 180, 240), (8, 176, 176)), "hardvs": ((8, 2, 260, 346), (8, 256, 320)),
}  # fmt: skip
#: All of them take minutes: `make reliability`.
NAMES = list(TREES) if os.environ.get("FULL") else ["dvs128-gesture"]
STEPS = 2

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def ray_session():
    import ray

    with packages_alone() as packages:
        connect_ray(packages, None, 3)
        yield
        ray.shutdown()


def test_there_is_a_tree_for_every_recipe_of_the_paper():
    assert set(TREES) == set(GEOMETRY) == set(CLIPS)


@pytest.mark.parametrize("name", NAMES)
def test_two_steps(name, ray_session, tmp_path):
    TREES[name](tmp_path / "raw")
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    lay_over(content, yaml.safe_load(preset_text(name)))
    content["dataset"]["path"] = str(tmp_path / "raw")
    # pictures of the tiny trees are too few for the published share
    content["frames"]["val_fraction"] = 0.2
    ingest_into(check_params(content, Path("params.yaml")), tmp_path / "frames")
    store = SampleStore.open(tmp_path / "frames")
    content["train"] |= {"epochs": 1, "batch": max(1, len(store.rows("train")) // STEPS)}
    params = check_params(content, Path("params.yaml"))
    clip, (steps, height, width) = GEOMETRY[name]
    (field,) = store.spec.fields.values()
    assert field.shape == clip
    spec, how = model_spec(params, store), recipe(params)
    assert (spec.options["steps"] or spec.input.steps, spec.input.height, spec.input.width) == (steps, height, width)
    assert len(store.rows("train")) // how.batch == STEPS
    job = Job(str(store.path), store.digest, str(tmp_path / "model"), spec, how, 1)
    (epoch,) = train_with_ray(job, tmp_path / "runs", threads=1)
    assert math.isfinite(epoch["loss"])
    assert load_model(tmp_path / "model").spec == spec
