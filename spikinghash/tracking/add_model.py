"""One evaluated model into the registry, with its run: an explicit step after the pipeline, safe to repeat."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikinghash.code_digest import code_digest
from spikinghash.errors import BadStore
from spikinghash.files import sha256_file
from spikinghash.tracking.earlier_run import earlier_run
from spikinghash.tracking.gate_tags import write_verdict
from spikinghash.tracking.registry import register
from spikinghash.tracking.registry_errors import registry_errors
from spikinghash.tracking.run import attach, client_for, log_run
from spikinghash.tracking.store_place import experiment_id
from spikinghash.tracking.version_tags import DIGEST, EVALUATED
from spikinghash.tracking.versions import versions_of
from spikinghash.training.checkpoint import LoadedModel, load_model
from spikinghash.version import package_version

#: Files of an evaluation: all of it, the few numbers to compare, the page (optional), and a page against the champion.
EVALUATION, METRICS, REPORT, REVIEW = "evaluation.json", "metrics.json", "report.html", "review.html"
_METRICS_DIGEST = "metrics_digest"
_KERNELS, _CODE, _PROGRAM = "kernels", "code_digest", "spikinghash_version"
_CHALLENGER = "challenger"


@dataclass(frozen=True)
class Added:
    """The version and the run of a model; `new_version` and `new_run` say whether this call made them."""

    version: int
    run_id: str
    digest: str
    new_version: bool
    new_run: bool


def add_model(
    uri: str, name: str, model: Path, reports: Path, params: Mapping[str, Any],
    verdict: Mapping[str, Any] | None = None, description: str | None = None,
) -> Added:  # fmt: skip
    """Log the evaluation in `reports` of the model in the folder `model`, register it and call it challenger.

    `verdict` is the gate's, as `Verdict.to_dict` gives it, `description` Markdown; the version carries the newest ones.
    Where the gate wrote a page on it against the champion, the run has the newest one.

    A model has one version, by its digest, and an evaluation one run, by the digests of model and metrics: what is
    there already is used again. Raises `BadStore` where the evaluation is missing or of another model.
    """
    loaded = load_model(model)
    evaluation = evaluation_of(reports, model, loaded.digest)
    digest = sha256_file(reports / EVALUATION)[:16]
    client = client_for(uri, create=True)
    with registry_errors(uri):
        version = _version_of(client, name, loaded.digest)
        same = f"tags.{DIGEST} = '{loaded.digest}' and tags.{_METRICS_DIGEST} = '{digest}'"
        finished, begun = earlier_run(client, experiment_id(client, uri, name), same)
    new_run, new_version = finished is None, version is None
    if finished is None:
        run_id = _log(uri, name, loaded, model, reports, params, evaluation, digest, begun)
    else:
        run_id = str(finished.info.run_id)
    if _is_of(reports / REVIEW, loaded.digest):
        with registry_errors(uri):
            attach(client, run_id, reports / REVIEW, None)
    if version is None:
        version = int(register(uri, name, run_id, "model", alias=_CHALLENGER))
    with registry_errors(uri):
        client.set_model_version_tag(name, str(version), EVALUATED, run_id)
        if description is not None:
            client.update_model_version(name, str(version), description)
        if verdict is not None:
            write_verdict(client, name, version, verdict)
        client.set_registered_model_alias(name, _CHALLENGER, str(version))
    return Added(version, run_id, loaded.digest, new_version, new_run)


def evaluation_of(reports: Path, model: Path, digest: str) -> dict[str, Any]:
    """The evaluation in a folder; `BadStore` unless it is whole and of the model with that digest, which lies at
    `model`.
    """
    evaluation = _read(reports / EVALUATION)
    _numbers(reports / METRICS)
    task = evaluation.get("task")
    evaluated = task.get("model_digest") if isinstance(task, dict) else None
    if evaluated != digest:
        there = f"{model} holds {digest}"
        raise BadStore(f"{reports / EVALUATION} is of model {evaluated or 'unknown'}, {there}; run `dvc repro`")
    return evaluation


def _log(
    uri: str, name: str, loaded: LoadedModel, model: Path, reports: Path, params: Mapping[str, Any],
    evaluation: dict[str, Any], digest: str, begun: Any | None,
) -> str:  # fmt: skip
    tags = {k: str(v) for k, v in evaluation["task"].items() if k.endswith("digest")} | {_METRICS_DIGEST: digest}
    tags |= {_CODE: code_digest(), _PROGRAM: package_version()}
    numbers, kernels = _numbers(reports / METRICS)
    tags |= {} if kernels is None else {_KERNELS: kernels}
    for key, metric in evaluation["metrics"].items():
        numbers.setdefault(key, float(metric["value"]))
    page = {"": reports / REPORT} if (reports / REPORT).is_file() else {}
    folders = {"metrics": reports / EVALUATION} | page
    return log_run(
        uri, name, name=f"{loaded.spec.method}-{loaded.digest[:8]}", params=params, metrics=numbers,
        history=loaded.card["training"]["history"], tags=tags, folders=folders, model=model, begun=begun,
    )  # fmt: skip


def _version_of(client: Any, name: str, digest: str) -> int | None:
    """The newest version that holds a model, None for none; older programs left the digest with the run."""
    for version in sorted(versions_of(client, name), key=lambda v: -int(v.version)):
        known = version.tags.get(DIGEST)
        if known is None and version.run_id:
            known = client.get_run(version.run_id).data.tags.get(DIGEST)
        if known == digest:
            return int(version.version)
    return None


def _is_of(page: Path, digest: str) -> bool:
    """Whether a page is there and names a model: somebody may have written one on others in its place."""
    return page.is_file() and digest in page.read_text(encoding="utf-8")


def _numbers(path: Path) -> tuple[dict[str, float], str | None]:
    """The few numbers by name, and by which kernels they were made; `BadStore` where one is no finite number."""
    few = _read(path)
    kernels = few.pop(_KERNELS, None)
    for name, value in few.items():
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise BadStore(f"{path}: {name} is {json.dumps(value)[:60]}, no finite number; run `dvc repro`")
    return {name: float(value) for name, value in few.items()}, kernels


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadStore(f"{path}: cannot be read ({error}); run `dvc repro` first") from None
    if not isinstance(content, dict):
        raise BadStore(f"{path}: holds no object of JSON; run `dvc repro`")
    return content
