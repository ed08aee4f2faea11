"""A model as MLflow keeps one since its third version: files and tags of its own, and metrics of runs linked to it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikinghash.tracking.mlflow_form import write_mlflow_form
from spikinghash.tracking.version_tags import LOGGED_MODEL


def log_model(client: Any, experiment: str, run_id: str, name: str, model: Path, tags: Mapping[str, str]) -> str:
    """Log the model in a folder as what a run made, and say so on the run; its id."""
    from mlflow.entities import LoggedModelOutput

    with tempfile.TemporaryDirectory(prefix="spikinghash-model-") as folder:
        files = write_mlflow_form(model, Path(folder, "model"))
        made = client.create_logged_model(experiment, name, source_run_id=run_id, tags=dict(tags), model_type="hashing")
        client.log_model_artifacts(made.model_id, str(files))
    client.finalize_logged_model(made.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, 0)])
    client.set_tag(run_id, LOGGED_MODEL, made.model_id)
    return str(made.model_id)


def files_of(client: Any, run: Any, artifact: str) -> tuple[str, str | None]:
    """Where the files of the model of a run lie, and its id; of a run that logged none, its artifact folder, None."""
    known = run.data.tags.get(LOGGED_MODEL)
    if known is None:
        return f"{run.info.artifact_uri}/{artifact}", None
    # not `models:/ID`, which MLflow would resolve past our look at where files lie
    return str(client.get_logged_model(known).artifact_location), str(known)
