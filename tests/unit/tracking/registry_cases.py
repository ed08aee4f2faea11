"""A real registry on SQLite with tiny models in it."""

from tiny_model import save_tiny

from spikinghash.tracking.registry import register
from spikinghash.tracking.run import log_run

NAME = "spikinghash"


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
