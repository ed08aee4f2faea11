"""A real registry on SQLite with tiny models in it."""

import yaml
from pipeline import ROOT
from tiny_model import save_tiny

from spikinghash.params import load_params
from spikinghash.tracking.registry import register
from spikinghash.tracking.run import log_run

NAME = "spikinghash"


def write_params(folder):
    """The settings that are shipped, with a registry in the folder; its address."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    params = load_params(ROOT / "params.yaml").model_dump(mode="json")
    params["tracking"] = {"uri": uri, "experiment": NAME}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return uri


def add_version(uri, folder, seed, mean_ap):
    """Log a run and register its model, as the stage `evaluate` does; the digest."""
    digest = save_tiny(folder, seed)
    run_id = log_run(
        uri, NAME, name=f"seed-{seed}", params={"model": {"method": "spikinghash", "size": "Nano", "bits": 16}},
        metrics={"map": mean_ap, "accuracy": 0.5}, history=[], tags={"model_digest": digest}, folders={"model": folder},
    )  # fmt: skip
    register(uri, NAME, run_id, "model")
    return digest


def set_experiment_place(uri, folder):
    """Artifacts of later runs go below `folder`, not into the working directory."""
    import mlflow

    mlflow.MlflowClient(uri).create_experiment(NAME, artifact_location=folder.as_uri())
