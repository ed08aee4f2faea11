"""One MLflow run per evaluated model."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikinghash.tracking.logged_model import log_model
from spikinghash.tracking.registry_errors import registry_errors
from spikinghash.tracking.store_place import experiment_id, require_database
from spikinghash.tracking.version_tags import LOGGED_MODEL

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
    model: Path | None = None,
    begun: Any | None = None,
) -> str:
    """Log a finished evaluation and return the run id.

    `params` nested plain values, `history` records with an `epoch`, `folders` artifact name (""
    for the top) -> local file or folder, `model` the folder of the model that all metrics are of. `begun` is a run of
    the same that was broken off: it is finished, and what it has is not logged again.
    """
    import mlflow

    client = client_for(uri, create=True)
    with registry_errors(uri):
        place = experiment_id(client, uri, experiment)
        run = begun or client.create_run(place, run_name=name, tags=dict(tags))
        run_id, model_id = str(run.info.run_id), run.data.tags.get(LOGGED_MODEL)
        if model_id is None and model is not None:
            model_id = log_model(client, place, run_id, name, model, tags)
    flat = [mlflow.entities.Param(key, value) for key, value in _flatten(params)]
    # the same numbers at the same time are the same entries, should they be there already
    stamp = int(run.info.start_time)
    values = [mlflow.entities.Metric(k, v, stamp, 0, model_id) for k, v in metrics.items()]
    for record in history:
        numbers = {f"train/{k}": record[k] for k in ("loss", "accuracy", "val_map", "lr", "grad_norm", "dead_bits")}
        known = {k: float(v) for k, v in numbers.items() if v is not None}
        values += [mlflow.entities.Metric(k, v, stamp, record["epoch"], model_id) for k, v in known.items()]
    with registry_errors(uri):
        client.log_batch(run_id, params=flat)
        for lo in range(0, len(values), 1000):
            client.log_batch(run_id, metrics=values[lo : lo + 1000])
        for artifact, path in folders.items():
            attach(client, run_id, path, artifact or None)
        client.set_terminated(run_id)
    return run_id


def attach(client: Any, run_id: str, path: Path, artifact: str | None) -> None:
    """Attach a file or folder to a run, under the folder name `artifact` (None: at the top)."""
    if path.is_dir():
        client.log_artifacts(run_id, str(path), artifact)
    else:
        client.log_artifact(run_id, str(path), artifact)


def client_for(uri: str, *, create: bool = False) -> Any:
    """A client of the tracking server or store at `uri`; `SpikinghashError` if it cannot be opened.

    A local database that is not there is made only where `create` says so.
    """
    import mlflow

    if not create:
        require_database(uri)
    with registry_errors(uri):
        mlflow.set_tracking_uri(uri)
        return mlflow.MlflowClient(uri)


def _flatten(params: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in params.items():
        if isinstance(value, Mapping):
            flat += _flatten(value, f"{prefix}{key}.")
        else:
            flat.append((prefix + key, value if isinstance(value, str) else json.dumps(value)))
    return flat
