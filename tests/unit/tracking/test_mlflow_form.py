"""A registered model as MLflow's own callers see it: signature, example, codes by `pyfunc`, metrics that are linked."""

import shutil
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.models import get_model_info
from registry_cases import write_evaluation
from tiny_model import SPEC

from spikinghash.codes.encoder import Encoder
from spikinghash.tracking.add_model import add_model
from spikinghash.tracking.registry import load_registered
from spikinghash.training.checkpoint import load_model

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    """A registry with one evaluated model; its address, the model's folder and what was added."""
    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    params = {"train": {"epochs": 1}}
    return uri, folder, add_model(uri, "spikinghash", *write_evaluation(folder), params)


def frames(count):
    rng = np.random.default_rng(1)
    field = SPEC.inputs[SPEC.modality].field
    return rng.integers(0, 3, (count, *field.shape)).astype(field.dtype)


def test_pyfunc_gives_the_codes_of_the_encoder(added):
    uri, folder, _ = added
    mlflow.set_tracking_uri(uri)
    model = mlflow.pyfunc.load_model("models:/spikinghash@challenger")
    expected, _ = Encoder(load_model(folder / "model")).encode(frames(5))
    np.testing.assert_array_equal(model.predict(frames(5)), expected)
    with pytest.raises(mlflow.exceptions.MlflowException, match="shape"):
        model.predict(frames(5)[:, :, :, :10])


def test_nothing_is_pickled(added):
    uri, _, made = added
    version = mlflow.MlflowClient(uri).get_model_version("spikinghash", str(made.version))
    place = mlflow.artifacts.download_artifacts(artifact_uri=version.source, tracking_uri=uri)
    there = {path.name for path in Path(place).rglob("*") if path.is_file()}
    assert {"MLmodel", "model.json", "model.safetensors"} <= there
    assert not any(name.endswith((".pkl", ".pickle", ".pt", ".pth", ".bin")) for name in there)


def test_signature_and_example_are_of_the_samples(added):
    uri, _, made = added
    mlflow.set_tracking_uri(uri)
    info = get_model_info(f"models:/spikinghash/{made.version}")
    field = SPEC.inputs[SPEC.modality].field
    assert info.signature.inputs.inputs[0].shape == (-1, *field.shape)
    assert info.signature.outputs.inputs[0].shape == (-1, SPEC.bits // 8)
    assert info.saved_input_example_info is not None


def test_metrics_are_those_of_the_logged_model_and_tags_say_by_what(added):
    uri, _, made = added
    client = mlflow.MlflowClient(uri)
    version = client.get_model_version("spikinghash", str(made.version))
    logged = client.get_logged_model(version.tags["logged_model"])
    linked = {metric.key: metric.value for metric in logged.metrics}
    assert (linked["map"], linked["train/loss"], linked["train/val_map"]) == (0.5, 0.5, 0.7)
    run = client.get_run(made.run_id)
    assert run.data.metrics["map"] == 0.5
    assert [output.model_id for output in run.outputs.model_outputs] == [logged.model_id]
    assert {"model_digest", "data_digest", "kernels", "code_digest", "spikinghash_version"} <= set(version.tags)


def test_ours_loads_it_also_after_a_move(added, tmp_path):
    uri, folder, made = added
    assert load_registered(uri, "models:/spikinghash/1").digest == made.digest
    shutil.copytree(folder, tmp_path / "moved")
    away = folder.with_name("away")
    folder.rename(away)
    try:
        moved = f"sqlite:///{tmp_path / 'moved/mlflow.db'}"
        assert load_registered(moved, "models:/spikinghash/1").digest == made.digest
    finally:
        away.rename(folder)
