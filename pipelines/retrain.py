"""Retrain: reproduce the curated pipeline, which leaves the new model as challenger in the registry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from prefect import flow, task

from spikinghash.errors import Temporary

_BUSY = "is busy, it is being blocked by"


@task(retries=2, retry_delay_seconds=60)
def reproduce(project: Path, target: str) -> list[str]:
    """Run `dvc repro target` and return the stages that ran; safe to repeat, finished stages are skipped.

    Raises `Temporary` while another repro holds DVC's lock, `RuntimeError` with DVC's last line otherwise.
    """
    # stages say `python`: let it be the one that runs this flow
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", target],
        cwd=project, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if _BUSY in done.stderr + done.stdout:
        raise Temporary(f"{project}: another dvc repro is running; try again when it has finished")
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1])
    return [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage '")]


@task
def read_metrics(project: Path) -> dict[str, Any]:
    """The metrics file that the pipeline wrote."""
    content: dict[str, Any] = json.loads((project / "reports" / "metrics.json").read_text(encoding="utf-8"))
    return content


@flow(name="retrain", log_prints=True)
def retrain(project: str = ".", target: str = "report") -> dict[str, Any]:
    """Reproduce the pipeline in `project`; returns the stages that ran and the mAP."""
    ran = reproduce(Path(project), target)
    metrics = read_metrics(Path(project))
    print(f"stages run: {', '.join(ran) or 'none, all up to date'}")  # noqa: T201  becomes a Prefect log line
    return {"ran": ran, "map": metrics["metrics"]["map"]["value"]}
