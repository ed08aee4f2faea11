"""A real registry on SQLite with tiny models in it."""

import json

import yaml
from pipeline import ROOT
from tiny_model import save_tiny

from spikinghash.params import load_params
from spikinghash.tracking.registry import register
from spikinghash.tracking.run import log_run

NAME = "spikinghash"
RECORD = {"epoch": 1, "loss": 0.5, "accuracy": 0.6, "val_map": 0.7, "lr": 0.1, "grad_norm": 1.0, "dead_bits": 0.0}


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


def write_evaluation(folder):
    """A tiny model that was evaluated; its folder and that of its evaluation, as `add_model` takes them."""
    digest = save_tiny(folder / "model", 1, {"history": [RECORD]})
    reports = folder / "reports"
    reports.mkdir()
    task = {"model_digest": digest, "data_digest": "0" * 16}
    (reports / "evaluation.json").write_text(json.dumps({"task": task, "metrics": {"map": {"value": 0.5}}}))
    (reports / "metrics.json").write_text(json.dumps({"map": 0.5, "kernels": "1" * 16}))
    return folder / "model", reports


def set_experiment_place(uri, folder):
    """Artifacts of later runs go below `folder`, not into the working directory."""
    import mlflow

    mlflow.MlflowClient(uri).create_experiment(NAME, artifact_location=folder.as_uri())
