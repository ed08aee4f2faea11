"""An evaluated model and an empty registry."""

import json

import mlflow
import pytest
from tiny_model import save_tiny

RECORD = {"epoch": 1, "loss": 0.5, "accuracy": 0.6, "val_map": 0.7, "lr": 0.1, "grad_norm": 1.0, "dead_bits": 0.0}


@pytest.fixture
def evaluated(tmp_path):
    """What `add_model` takes first: address and name of the registry, folders of the model and of its evaluation."""
    digest = save_tiny(tmp_path / "model", 1, {"history": [RECORD]})
    reports = tmp_path / "reports"
    reports.mkdir()
    task = {"model_digest": digest, "data_digest": "0" * 16}
    (reports / "evaluation.json").write_text(json.dumps({"task": task, "metrics": {"map": {"value": 0.5}}}))
    (reports / "metrics.json").write_text(json.dumps({"map": 0.5}))
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    mlflow.MlflowClient(uri).create_experiment("spikinghash", artifact_location=(tmp_path / "artifacts").as_uri())
    return uri, "spikinghash", tmp_path / "model", reports
