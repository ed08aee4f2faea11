"""One MLflow run per evaluated model."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikinghash.errors import SpikinghashError

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# models are two small files; their bars would be the only output of a quiet command
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# half a minute for a server that does not answer, where MLflow's own seven retries take four
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
for _chatty in ("mlflow", "alembic"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)


def log_run(
    uri: str,
    experiment: str,
    *,
    name: str,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    history: list[dict[str, Any]],
    tags: Mapping[str, str],
    folders: Mapping[str, Path],
) -> str:
    """Log a finished evaluation and return the run id.

    `params` nested plain values, `history` records with an `epoch`, `folders` artifact name -> local file or folder.
    """
    import mlflow

    client = client_for(uri)
    run = client.create_run(_experiment(client, experiment), run_name=name, tags=dict(tags))
    run_id = str(run.info.run_id)
    flat = [mlflow.entities.Param(key, value) for key, value in _flatten(params)]
    stamp = int(run.info.start_time)
    values = [mlflow.entities.Metric(k, v, stamp, 0) for k, v in metrics.items()]
    for record in history:
        numbers = {f"train/{k}": record[k] for k in ("loss", "accuracy", "val_map", "lr", "grad_norm", "dead_bits")}
        values += [mlflow.entities.Metric(k, float(v), stamp, record["epoch"]) for k, v in numbers.items()]
    client.log_batch(run_id, params=flat)
    for lo in range(0, len(values), 1000):
        client.log_batch(run_id, metrics=values[lo : lo + 1000])
    for artifact, path in folders.items():
        attach(uri, run_id, path, artifact)
    client.set_terminated(run_id)
    return run_id


def log_night(uri: str, experiment: str, name: str, metrics: Mapping[str, float], report: Path) -> str:
    """Log one night of hashing with its report; returns the run id."""
    import mlflow

    client = client_for(uri)
    run_id = str(client.create_run(_experiment(client, experiment), run_name=name).info.run_id)
    stamp = int(client.get_run(run_id).info.start_time)
    client.log_batch(run_id, metrics=[mlflow.entities.Metric(k, v, stamp, 0) for k, v in metrics.items()])
    attach(uri, run_id, report)
    client.set_terminated(run_id)
    return run_id


def attach(uri: str, run_id: str, path: Path, artifact: str | None = None) -> None:
    """Attach a file or folder to a run, under the folder name `artifact` (None: at the top)."""
    client = client_for(uri)
    if path.is_dir():
        client.log_artifacts(run_id, str(path), artifact)
    else:
        client.log_artifact(run_id, str(path), artifact)


def client_for(uri: str) -> Any:
    """A client of the tracking server or store at `uri`; `SpikinghashError` if it cannot be opened."""
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        mlflow.set_tracking_uri(uri)
        return mlflow.MlflowClient(uri)
    except MlflowException as error:
        raise SpikinghashError(f"tracking.uri {uri!r}: {str(error).splitlines()[0]}") from error


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _flatten(params: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in params.items():
        if isinstance(value, Mapping):
            flat += _flatten(value, f"{prefix}{key}.")
        else:
            flat.append((prefix + key, value if isinstance(value, str) else json.dumps(value)))
    return flat
