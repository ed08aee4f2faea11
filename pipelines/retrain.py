"""Retrain: reproduce the curated pipeline, then register the new model as challenger with the gate's verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import yaml
from prefect import flow, task

from pipelines.project import FRAMES, MODEL, PARAMS, REPORTS, RUNS, enter_project
from pipelines.retries import may_pass
from spikinghash.errors import ConfigError, SpikinghashError, Temporary
from spikinghash.ingest.recordings import LEDGER_FILE
from spikinghash.isolation import isolated_tool
from spikinghash.judge_model import judge_model
from spikinghash.params import load_params
from spikinghash.progress import progress_bar
from spikinghash.redact import redact
from spikinghash.register_model import register_model
from spikinghash.run_lock import run_lock
from spikinghash.visible import visible
from spikinghash.waiting_model import leave_waiting, nothing_waits

#: Seconds that a cancelled repro has to end by itself.
_GRACE_S = 10.0
_BUSY = "is busy, it is being blocked by"


@task(retries=2, retry_delay_seconds=60, retry_condition_fn=may_pass)
def reproduce(target: str) -> list[str]:
    """Run `dvc repro target` in the current project and return the stages that ran; finished ones are skipped.

    What the stages say streams into the log. Raises `Temporary` while another repro holds DVC's lock, `ConfigError`
    for a target that is no stage, `SpikinghashError` with the stage's last line otherwise.
    """
    stages = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    if target not in stages:
        raise ConfigError(f"target {target!r} is no stage of dvc.yaml; there are: {', '.join(stages)}")
    lines = []
    with subprocess.Popen(
        isolated_tool("dvc", "repro", target),
        env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as run, _ended_with_us(run):  # fmt: skip
        assert run.stdout is not None
        for line in run.stdout:
            lines.append(line.rstrip())
            if lines[-1]:
                print(lines[-1])  # noqa: T201  becomes a Prefect log line
    if any(_BUSY in line for line in lines):
        raise Temporary("another dvc repro is running in this project; try again when it has finished")
    if run.returncode:
        raise SpikinghashError(_reason(lines))
    return [line.split("'")[1] for line in lines if line.startswith("Running stage '")]


@contextmanager
def _ended_with_us(run: subprocess.Popen[str]) -> Iterator[None]:
    """A block that takes dvc and its stages along when it is cancelled: the next repro does the broken stage anew."""
    try:
        yield
    except BaseException:
        with suppress(psutil.Error):
            everyone = [*psutil.Process(run.pid).children(recursive=True), psutil.Process(run.pid)]
            for process in everyone:
                with suppress(psutil.Error):
                    process.terminate()
            for process in psutil.wait_procs(everyone, _GRACE_S)[1]:
                process.kill()
        raise


def _environment() -> dict[str, str]:
    """Stages say `python`: let it be the one that runs this flow. Lines come as they are written."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return os.environ | {"PATH": path, "PYTHONUNBUFFERED": "1", "DVC_NO_ANALYTICS": "1"}


def _reason(lines: list[str]) -> str:
    """The line of the stage that failed, before DVC's own."""
    said = [line for line in lines if line]
    own = [line for line in said if line.startswith("stages.")]
    return "; ".join([*own[-1:], *said[-1:]]) or "dvc repro failed without a word"


@task(retries=2, retry_delay_seconds=10, retry_condition_fn=may_pass)
def judge() -> dict[str, Any]:
    """The gate's verdict on the model that the pipeline made, against the champion on the same queries."""
    params = load_params(PARAMS)
    place = params.tracking.uri, params.tracking.experiment
    with progress_bar("gate (clips)") as progress:
        verdict = judge_model(params, MODEL, FRAMES, REPORTS, place, progress)
    for finding in verdict.findings:
        print(f"gate: {'passed' if finding.passed else 'REFUSED'} {finding.rule}: {finding.said}")  # noqa: T201
    return verdict.to_dict()


@task(retries=2, retry_delay_seconds=10, retry_condition_fn=may_pass)
def register(verdict: dict[str, Any]) -> dict[str, Any]:
    """Log and register the model that the pipeline made; a model that is there already is not added again."""
    params = load_params(PARAMS)
    added = register_model(params, MODEL, REPORTS, (params.tracking.uri, params.tracking.experiment), verdict)
    return {"version": added.version, "digest": added.digest, "new": added.new_version}


@flow(name="retrain", log_prints=True)
def retrain(target: str = "report", wait_s: float = 0.0) -> dict[str, Any]:
    """Reproduce the pipeline of this project up to a stage; after the whole of it the model is registered.

    One at a time: a second one waits up to `wait_s` seconds, then fails and says who is at it. Returns the stages that
    ran, the mAP, the registered version and the gate's verdict, None where `target` is not the last stage. A registry
    that does not answer does not undo a training: the model waits, and the next night or retrain registers it.
    """
    enter_project()
    with run_lock(RUNS, "retrain", wait_s):
        return _retrain(target)


def _recordings() -> int | None:
    """Labelled recordings, pictures or pairs that the last framing found; None before the first."""
    with suppress(OSError):
        found = json.loads((FRAMES / LEDGER_FILE).read_text(encoding="utf-8"))["found"]
        return int(found)
    return None


def _retrain(target: str) -> dict[str, Any]:
    before = _recordings()
    ran = reproduce(target)
    print(f"stages run: {', '.join(ran) or 'none, all up to date'}")  # noqa: T201  becomes a Prefect log line
    if before is not None and (now := _recordings()) is not None:
        print(f"data: {now} found in the data set, {now - before:+d} since the last run")  # noqa: T201
    if target != "report":
        return {"ran": ran, "map": None, "registered": None, "gate": None}
    metrics = json.loads((REPORTS / "metrics.json").read_text(encoding="utf-8"))
    try:
        verdict = judge()
        registered = register(verdict)
    except Temporary as error:
        leave_waiting(RUNS, MODEL)
        print(f"trained and evaluated; the next night registers it: {visible(redact(str(error)))}")  # noqa: T201
        return {"ran": ran, "map": metrics["map"], "registered": None, "gate": None}
    nothing_waits(RUNS)
    said = "registered" if registered["new"] else "known already"
    said += ", passed the gate" if verdict["passed"] else ", REFUSED by the gate"
    print(f"version {registered['version']} is challenger: model {registered['digest']}, {said}")  # noqa: T201
    return {"ran": ran, "map": metrics["map"], "registered": registered, "gate": verdict}
